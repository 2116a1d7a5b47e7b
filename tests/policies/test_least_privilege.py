"""What the examples of the least-privilege pack cannot say: policy documents and exceptions."""

import pytest
from pulumi_policy.proxy import UnknownValueError

from tests.policies.harness import UNKNOWN, check

PROJECT_MEMBER = "gcp:projects/iAMMember:IAMMember"
BUCKET_POLICY = "gcp:storage/bucketIAMPolicy:BucketIAMPolicy"
ACCOUNT = "serviceAccount:app@acme.iam.gserviceaccount.com"


def test_policy_document_that_is_not_known_is_said_by_the_engine() -> None:
    with pytest.raises(UnknownValueError):
        check("iam-no-public-members", BUCKET_POLICY, {"policyData": UNKNOWN})


@pytest.mark.parametrize("document", ["not json", "[]", "", None, 3])
def test_policy_document_that_cannot_be_read_is_a_finding(document: object) -> None:
    (message,) = check("iam-no-public-members", BUCKET_POLICY, {"policyData": document})
    assert "its policyData cannot be read" in message


def test_exceptions_of_the_config() -> None:
    props = {"role": "roles/storage.objectAdmin", "member": ACCOUNT}
    config = {"allowedRoles": ["roles/storage.objectAdmin"]}
    assert check("iam-no-admin-for-workload-sa", PROJECT_MEMBER, props, config) == []
    assert check("iam-resource-scope-preferred", PROJECT_MEMBER, props, config) == []

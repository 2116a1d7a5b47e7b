"""What the examples of the least-privilege pack cannot say: policy documents and exceptions."""

from pathlib import Path

import pytest
import yaml
from pulumi_policy.proxy import UnknownValueError

from policies.access import capabilities
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


def test_a_pattern_of_permissions_is_nothing_but_permissions() -> None:
    # A comment within a folded text is a part of it.
    patterns = yaml.safe_load(Path(capabilities.__file__).with_suffix(".yaml").read_text())
    assert [name for name, pattern in patterns.items() if "#" in pattern] == []

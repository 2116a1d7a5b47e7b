"""No long-lived key of a service account exists."""

from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.resource import Resource

_KEYS: Final[Mapping[str, str]] = {
    "gcp:serviceaccount/key:Key": "a service account key",
    "gcp:storage/hmacKey:HmacKey": "an HMAC key",
}


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    yield f"makes {_KEYS[resource.type]}"


RULE: Final = ResourceRule(
    id="iam-no-sa-keys",
    display_name="No service account keys",
    description="No service account has a key that lives until someone deletes it.",
    why="A key works from anywhere, for whoever holds it, and ends up in the state of the stack.",
    remediation="use Workload Identity Federation, or attach the account to the workload.",
    severity=Severity.CRITICAL,
    level=EnforcementLevel.MANDATORY,
    never_exempt="a key outlives its exemption",
    url="https://cloud.google.com/iam/docs/best-practices-for-managing-service-account-keys",
    references=(
        Reference("CIS Google Cloud", "1.4"),
        Reference("CIS Google Cloud", "1.7"),
        Reference("checkov", "CKV2_GCP_3"),
    ),
    applies=lambda resource_type: resource_type in _KEYS,
    check=_check,
)

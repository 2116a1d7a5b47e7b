"""No long-lived key of a service account exists."""

from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.kubernetes import kind_of, objects
from resources.properties import text
from resources.resource import Resource

_KEYS: Final[Mapping[str, str]] = {
    "gcp:serviceaccount/key:Key": "a service account key",
    "gcp:storage/hmacKey:HmacKey": "an HMAC key",
}


_HOLDER: Final = "core/Secret"
_ENDLESS: Final = "kubernetes.io/service-account-token"


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    if resource.type in _KEYS:
        yield f"makes {_KEYS[resource.type]}"
        return
    for made in objects(resource.type, resource.props):
        if text(made, "type") == _ENDLESS:
            yield "makes a token of a service account that does not end"


RULE: Final = ResourceRule(
    id="iam-no-sa-keys",
    display_name="No service account keys",
    description=(
        "No service account, of Google Cloud or a cluster, has a key or token that lives until "
        "someone deletes it."
    ),
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
    applies=lambda resource_type: resource_type in _KEYS or kind_of(resource_type) == _HOLDER,
    check=_check,
)

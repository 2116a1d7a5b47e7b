"""A key is not deleted with the stack."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.expected import Expected, unmet
from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.properties import text
from resources.resource import Resource

_KEY: Final = "gcp:kms/cryptoKey:CryptoKey"
_VERSION: Final = "gcp:kms/cryptoKeyVersion:CryptoKeyVersion"
_GONE: Final = ("DESTROYED", "DESTROY_SCHEDULED", "DISABLED")
_PREVENTS: Final = (Expected("deletionPolicy", ("PREVENT",)),)


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    if resource.type == _VERSION:
        if text(resource.props, "state") in _GONE:
            yield "is switched off or destroyed, with all that it encrypted"
        return
    if not resource.protected:
        yield from unmet(resource.props, _PREVENTS)


RULE: Final = ResourceRule(
    id="data-kms-protected",
    display_name="Keys are protected from deletion",
    description="A key has deletionPolicy PREVENT or the protect option.",
    why="What a destroyed key encrypted is lost for good.",
    remediation="set deletionPolicy to PREVENT, or protect=True in the resource options.",
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/kms/docs/destroy-restore",
    references=(Reference("checkov", "CKV_GCP_82"),),
    applies=lambda resource_type: resource_type in (_KEY, _VERSION),
    check=_check,
)

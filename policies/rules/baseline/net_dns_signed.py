"""What public zones say can be verified."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.properties import MISSING, UNKNOWN, elements, text
from resources.resource import Resource

_ZONE: Final = "gcp:dns/managedZone:ManagedZone"


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    if text(resource.props, "visibility") not in (MISSING, "public"):
        return
    if text(resource.props, "dnssecConfig", "state") not in ("on", "transfer", UNKNOWN):
        yield "is public and not signed: dnssecConfig.state is not on"
    for key in elements(resource.props, "dnssecConfig", "defaultKeySpecs"):
        if text(key, "algorithm") == "rsasha1":
            yield "is signed by RSASHA1, which is broken"


RULE: Final = ResourceRule(
    id="net-dns-signed",
    display_name="Public zones are signed",
    description="A public zone has DNSSEC, and no key of RSASHA1.",
    why="Without signatures anybody on the way may answer in its place.",
    remediation="set dnssecConfig.state to on, and leave defaultKeySpecs out.",
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/dns/docs/dnssec",
    references=(
        Reference("CIS Google Cloud", "3.3"),
        Reference("CIS Google Cloud", "3.4"),
        Reference("CIS Google Cloud", "3.5"),
        Reference("checkov", "CKV_GCP_16"),
        Reference("checkov", "CKV_GCP_17"),
    ),
    applies=lambda resource_type: resource_type == _ZONE,
    check=_check,
)

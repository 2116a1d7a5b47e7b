"""No project gets the default network, no network its default subnets."""

from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.expected import Expected, unmet
from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.resource import Resource

_OFF: Final[Mapping[str, str]] = {
    "gcp:compute/network:Network": "autoCreateSubnetworks",
    "gcp:organizations/project:Project": "autoCreateNetwork",
}


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    yield from unmet(resource.props, (Expected(_OFF[resource.type], (False,)),))


RULE: Final = ResourceRule(
    id="net-no-default-network",
    display_name="No default network",
    description="No project makes the default network, and no network makes subnets by itself.",
    why="They come with subnets in every region and rules that let SSH and RDP in from everywhere.",
    remediation="set autoCreateNetwork and autoCreateSubnetworks to false.",
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/vpc/docs/vpc#default-network",
    references=(
        Reference("CIS Google Cloud", "3.1"),
        Reference("checkov", "CKV_GCP_27"),
        Reference("trivy", "GCP-0010"),
    ),
    applies=lambda resource_type: resource_type in _OFF,
    check=_check,
)

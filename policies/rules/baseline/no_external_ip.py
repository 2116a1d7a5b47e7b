"""No virtual machine has an address on the internet."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import Severity

from policies.rules.config import Limits
from policies.rules.peek import MISSING, entries, flag
from policies.rules.rule import Reference, Resource, ResourceRule

_MACHINES: Final = (
    "gcp:compute/instance:Instance",
    "gcp:compute/instanceTemplate:InstanceTemplate",
    "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate",
)
_NOTEBOOK: Final = "gcp:workbench/instance:Instance"


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    if resource.type == _NOTEBOOK:
        if flag(resource.props, "gceSetup", "disablePublicIp") is not True:
            yield "gceSetup.disablePublicIp is not true"
        return
    interfaces = entries(resource.props, "networkInterfaces")
    for index, interface in enumerate(interfaces if isinstance(interfaces, tuple) else ()):
        for name in ("accessConfigs", "ipv6AccessConfigs"):
            if entries(interface, name) not in (MISSING, ()):
                yield f"networkInterfaces[{index}] has {name}"


RULE: Final = ResourceRule(
    id="net-no-external-ip",
    display_name="Machines have no external address",
    description="No instance, template or notebook has an external address.",
    why="It is reachable from everywhere, and can send data anywhere past NAT and its logs.",
    remediation="remove accessConfigs, set gceSetup.disablePublicIp; use Cloud NAT and IAP.",
    severity=Severity.HIGH,
    url="https://cloud.google.com/compute/docs/connect/ssh-internal-ip",
    references=(
        Reference("CIS Google Cloud", "4.9"),
        Reference("checkov", "CKV_GCP_40"),
        Reference("checkov", "CKV2_GCP_28"),
        Reference("trivy", "GCP-0031"),
    ),
    applies=lambda resource_type: resource_type in _MACHINES or resource_type == _NOTEBOOK,
    check=_check,
)

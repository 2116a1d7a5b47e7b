"""No virtual machine, notebook, pipeline worker or database has an address on the internet."""

from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.expected import Expected, unmet
from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.properties import MISSING, UNKNOWN, entries
from resources.resource import Resource

_MACHINES: Final = (
    "gcp:compute/instance:Instance",
    "gcp:compute/instanceFromMachineImage:InstanceFromMachineImage",
    "gcp:compute/instanceFromTemplate:InstanceFromTemplate",
    "gcp:compute/instanceTemplate:InstanceTemplate",
    "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate",
)
_WORKERS: Final = Expected("ipConfiguration", ("WORKER_IP_PRIVATE",))
# What else gets an address of its own, and the switch that keeps it from that.
_SWITCHES: Final[Mapping[str, Expected]] = {
    "gcp:alloydb/instance:Instance": Expected("networkConfig.enablePublicIp", (False,), unset=True),
    "gcp:colab/runtimeTemplate:RuntimeTemplate": Expected(
        "networkSpec.enableInternetAccess", (False,), unset=True
    ),
    "gcp:dataflow/flexTemplateJob:FlexTemplateJob": _WORKERS,
    "gcp:dataflow/job:Job": _WORKERS,
    # Google gives a database an address unless told otherwise.
    "gcp:sql/databaseInstance:DatabaseInstance": Expected(
        "settings.ipConfiguration.ipv4Enabled", (False,)
    ),
    "gcp:workbench/instance:Instance": Expected("gceSetup.disablePublicIp", (True,)),
}


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    if resource.type in _SWITCHES:
        yield from unmet(resource.props, (_SWITCHES[resource.type],))
        return
    interfaces = entries(resource.props, "networkInterfaces")
    if interfaces is UNKNOWN:
        yield "networkInterfaces are not known during preview"
    for index, interface in enumerate(interfaces if isinstance(interfaces, tuple) else ()):
        for name in ("accessConfigs", "ipv6AccessConfigs"):
            if entries(interface, name) not in (MISSING, ()):
                yield f"networkInterfaces[{index}] has {name}"


RULE: Final = ResourceRule(
    id="net-no-external-ip",
    display_name="Machines have no external address",
    description=(
        "No instance, template, notebook, pipeline worker or database has an external address."
    ),
    why="It is reachable from everywhere, and can send data anywhere past NAT and its logs.",
    remediation=(
        "remove accessConfigs, or set the property as named; use Cloud NAT, IAP and Private "
        "Service Connect."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/compute/docs/connect/ssh-internal-ip",
    references=(
        Reference("CIS Google Cloud", "4.9"),
        Reference("checkov", "CKV_GCP_40"),
        Reference("checkov", "CKV2_GCP_28"),
        Reference("trivy", "GCP-0031"),
    ),
    applies=lambda resource_type: resource_type in _MACHINES or resource_type in _SWITCHES,
    check=_check,
)

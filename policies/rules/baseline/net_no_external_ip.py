"""No virtual machine, notebook, pipeline worker or database has an address on the internet."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.expected import Expected, unmet
from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from policies.shared.types import FORWARDING_RULES
from resources.properties import MISSING, UNKNOWN, entries, flag, get, text
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
    "gcp:cloudbuild/workerPool:WorkerPool": Expected("workerConfig.noExternalIp", (True,)),
    "gcp:alloydb/instance:Instance": Expected("networkConfig.enablePublicIp", (False,), unset=True),
    "gcp:colab/runtimeTemplate:RuntimeTemplate": Expected(
        "networkSpec.enableInternetAccess", (False,), unset=True
    ),
    "gcp:compute/subnetwork:Subnetwork": Expected("ipv6AccessType", ("INTERNAL",), unset=True),
    "gcp:datafusion/instance:Instance": Expected("privateInstance", (True,)),
    "gcp:dataproc/cluster:Cluster": Expected(
        "clusterConfig.gceClusterConfig.internalIpOnly", (True,)
    ),
    "gcp:looker/instance:Instance": Expected("publicIpEnabled", (False,), unset=True),
    "gcp:tpu/v2Vm:V2Vm": Expected("networkConfig.enableExternalIps", (False,), unset=True),
    "gcp:composer/environment:Environment": Expected(
        "config.privateEnvironmentConfig.enablePrivateEndpoint", (True,), unset=True
    ),
    "gcp:workstations/workstationCluster:WorkstationCluster": Expected(
        "privateClusterConfig.enablePrivateEndpoint", (True,)
    ),
    "gcp:workstations/workstationConfig:WorkstationConfig": Expected(
        "host.gceInstance.disablePublicIpAddresses", (True,)
    ),
    "gcp:dataflow/flexTemplateJob:FlexTemplateJob": _WORKERS,
    "gcp:dataflow/job:Job": _WORKERS,
    # Google gives a database an address unless told otherwise.
    "gcp:sql/databaseInstance:DatabaseInstance": Expected(
        "settings.ipConfiguration.ipv4Enabled", (False,)
    ),
    "gcp:workbench/instance:Instance": Expected("gceSetup.disablePublicIp", (True,)),
}


_EXTERNAL: Final = ("EXTERNAL", "EXTERNAL_MANAGED", "EXTERNAL_PASSTHROUGH", MISSING)
# Collections of targets that end HTTP, for the rules on load balancers to judge.
_HTTP: Final = re.compile(r"/(targetHttpProxies|targetHttpsProxies|targetGrpcProxies)/")
# The target of an attachment or of Google's APIs: its rule has an internal address.
_ENDPOINT: Final = re.compile(r"/serviceAttachments/|^(all-apis|vpc-sc)$")
# Addresses that machines of a group keep.
_KEPT: Final[Mapping[str, str]] = {
    "gcp:compute/instanceGroupManager:InstanceGroupManager": "statefulExternalIps",
    "gcp:compute/perInstanceConfig:PerInstanceConfig": "preservedState.externalIps",
    "gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager": "statefulExternalIps",
    "gcp:compute/regionPerInstanceConfig:RegionPerInstanceConfig": "preservedState.externalIps",
}
_POOL: Final = "gcp:compute/targetPool:TargetPool"


def _passes_through(rule: object) -> bool:
    """Return whether an external address leads to machines past every proxy that reads HTTP."""
    if text(rule, "loadBalancingScheme") not in _EXTERNAL:
        return False
    target = text(rule, "target")
    if target is UNKNOWN or (isinstance(target, str) and _ENDPOINT.search(target)):
        return False
    if isinstance(target, str) and "/" in target:
        return not _HTTP.search(target)
    return target is MISSING and get(rule, "backendService") is not MISSING


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    if resource.type in _SWITCHES:
        yield from unmet(resource.props, (_SWITCHES[resource.type],))
        return
    if resource.type in FORWARDING_RULES:
        if _passes_through(resource.props):
            yield "is an external address that leads to machines past every HTTP proxy"
        return
    if resource.type == _POOL:
        yield "is a pool of machines for external addresses"
        return
    if resource.type in _KEPT:
        path = _KEPT[resource.type]
        if entries(resource.props, *path.split(".")) not in (MISSING, (), UNKNOWN):
            yield f"keeps {path}"
        return
    if flag(resource.props, "canIpForward") is True:
        yield "may pass on packets of others: canIpForward is true"
    interfaces = entries(resource.props, "networkInterfaces")
    if interfaces is UNKNOWN:
        yield "networkInterfaces are not known during preview"
    for index, interface in enumerate(interfaces if isinstance(interfaces, tuple) else ()):
        for name in ("accessConfigs", "ipv6AccessConfigs"):
            if entries(interface, name) not in (MISSING, ()):
                yield f"networkInterfaces[{index}] has {name}"


_TYPES: Final = frozenset({*_MACHINES, *_SWITCHES, *FORWARDING_RULES, *_KEPT, _POOL})


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
        Reference("checkov", "CKV_GCP_11"),
        Reference("checkov", "CKV_GCP_36"),
        Reference("checkov", "CKV_GCP_40"),
        Reference("checkov", "CKV_GCP_60"),
        Reference("checkov", "CKV_GCP_86"),
        Reference("checkov", "CKV_GCP_87"),
        Reference("checkov", "CKV_GCP_89"),
        Reference("checkov", "CKV_GCP_94"),
        Reference("checkov", "CKV_GCP_103"),
        Reference("checkov", "CKV2_GCP_32"),
        Reference("checkov", "CKV2_GCP_36"),
        Reference("checkov", "CKV2_GCP_28"),
        Reference("trivy", "GCP-0031"),
    ),
    applies=lambda resource_type: resource_type in _TYPES,
    check=_check,
)

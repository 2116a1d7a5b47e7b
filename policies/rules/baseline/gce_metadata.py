"""Machines keep ssh, serial ports and root as the project's policy has them."""

from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.properties import MISSING, UNKNOWN, all_at, flag, get, text
from resources.resource import Resource

_M: Final = ("metadata",)
_ALL: Final = ("allInstancesConfig.metadata",)
_KEPT: Final = ("preservedState.metadata",)
# Type token: where the metadata of machines stand.
_METADATA: Final[Mapping[str, tuple[str, ...]]] = {
    "gcp:compute/instance:Instance": _M,
    "gcp:compute/instanceFromMachineImage:InstanceFromMachineImage": _M,
    "gcp:compute/instanceFromTemplate:InstanceFromTemplate": _M,
    "gcp:compute/instanceGroupManager:InstanceGroupManager": _ALL,
    "gcp:compute/instanceTemplate:InstanceTemplate": _M,
    "gcp:compute/perInstanceConfig:PerInstanceConfig": _KEPT,
    "gcp:compute/projectMetadata:ProjectMetadata": _M,
    "gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager": _ALL,
    "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate": _M,
    "gcp:compute/regionPerInstanceConfig:RegionPerInstanceConfig": _KEPT,
    "gcp:container/cluster:Cluster": ("nodeConfig.metadata", "nodePools.*.nodeConfig.metadata"),
    "gcp:container/nodePool:NodePool": ("nodeConfig.metadata",),
    "gcp:dataproc/cluster:Cluster": ("clusterConfig.gceClusterConfig.metadata",),
    "gcp:dataproc/workflowTemplate:WorkflowTemplate": (
        "placement.managedCluster.config.gceClusterConfig.metadata",
    ),
    "gcp:tpu/v2Vm:V2Vm": _M,
    "gcp:workbench/instance:Instance": ("gceSetup.metadata",),
}
# Where machines are measured while they boot.
_SHIELDED: Final[Mapping[str, str]] = {
    **{each: "" for each, paths in _METADATA.items() if paths == _M and "/instance" in each},
    "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate": "",
    "gcp:workbench/instance:Instance": "gceSetup.",
}
_BOOT: Final = ("enableIntegrityMonitoring", "enableVtpm")
# These name one key and its value each.
_ITEMS: Final = (
    "gcp:compute/projectMetadataItem:ProjectMetadataItem",
    "gcp:compute/instanceSettings:InstanceSettings",
)
# A key of a person, for every machine with OS Login.
_KEY: Final = "gcp:oslogin/sshPublicKey:SshPublicKey"
_ON: Final = ("true", "1", "y", "yes")
# Key: the values that switch a safeguard off; empty for any.
_UNSAFE: Final[Mapping[str, tuple[str, ...]]] = {
    "block-project-ssh-keys": ("false", "0", "n", "no"),
    "disable-legacy-endpoints": ("false", "0", "n", "no"),
    "enable-oslogin": ("false", "0", "n", "no"),
    "notebook-disable-root": ("false", "0", "n", "no"),
    "serial-port-enable": _ON,
    "ssh-keys": (),
    "sshKeys": (),
}


def _is_unsafe(key: str, value: object) -> bool:
    if value in (MISSING, UNKNOWN):
        return False
    values = _UNSAFE[key]
    return not values or str(value).lower() in values


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    if resource.type == _KEY and get(resource.props, "expirationTimeUsec") in (MISSING, "", "0"):
        yield "is an ssh key without an end"
    if resource.type in _ITEMS:
        key = text(resource.props, "key")
        if key in _UNSAFE and _is_unsafe(str(key), get(resource.props, "value")):
            yield f"the metadata {key} switches a safeguard off"
        return
    if resource.type in _SHIELDED:
        place = f"{_SHIELDED[resource.type]}shieldedInstanceConfig"
        for name in _BOOT:
            if flag(resource.props, *place.split("."), name) is False:
                yield f"{place}.{name} is false"
    for path in _METADATA.get(resource.type, ()):
        for metadata in all_at(resource.props, path.split(".")):
            for key in _UNSAFE:
                if _is_unsafe(key, get(metadata, key)):
                    yield f"the metadata {key} switches a safeguard off"


RULE: Final = ResourceRule(
    id="gce-metadata",
    display_name="Machines keep their safeguards",
    description=(
        "No metadata of machines, nodes or notebooks adds ssh keys, opens the serial port, "
        "leaves OS Login or gives root, none boots unmeasured, and keys of OS Login end."
    ),
    why="Keys and ports in metadata let people in past IAM and its logs.",
    remediation="remove the key, and use OS Login and IAP.",
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/compute/docs/oslogin",
    references=(
        Reference("CIS Google Cloud", "4.3"),
        Reference("CIS Google Cloud", "4.4"),
        Reference("CIS Google Cloud", "4.5"),
        Reference("checkov", "CKV_GCP_32"),
        Reference("checkov", "CKV_GCP_33"),
        Reference("checkov", "CKV_GCP_34"),
        Reference("checkov", "CKV_GCP_35"),
        Reference("checkov", "CKV_GCP_39"),
        Reference("checkov", "CKV_GCP_126"),
        Reference("checkov", "CKV_GCP_127"),
    ),
    applies=lambda resource_type: resource_type in (*_METADATA, *_ITEMS, *_SHIELDED, _KEY),
    check=_check,
)

"""Nodes pull images from registries as they are, past no mirror or authority of others."""

from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import ResourceRule
from resources.properties import MISSING, UNKNOWN, all_at, entries
from resources.resource import Resource

_POOL: Final = "gcp:container/nodePool:NodePool"
_CLUSTER: Final = "gcp:container/cluster:Cluster"
_NODE: Final = "nodeConfig.containerdConfig"
_PATHS: Final[Mapping[str, tuple[str, ...]]] = {
    _CLUSTER: (
        *(_NODE, f"nodePools.*.{_NODE}"),
        "nodePoolDefaults.nodeConfigDefaults.containerdConfig",
    ),
    _POOL: (_NODE,),
}
_AUTHORITIES: Final = ("privateRegistryAccessConfig", "certificateAuthorityDomainConfigs")


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    for path in _PATHS[resource.type]:
        for config in all_at(resource.props, path.split(".")):
            if entries(config, *_AUTHORITIES) not in (MISSING, (), UNKNOWN):
                yield f"{path} trusts another certificate authority for registries"
            if entries(config, "registryHosts") not in (MISSING, (), UNKNOWN):
                yield f"{path} sends pulls to other hosts"


RULE: Final = ResourceRule(
    id="sup-registry-config",
    display_name="Nodes pull from registries as they are",
    description="No containerd config of nodes has a registry's name answered by another.",
    why="Whoever answers for a registry chooses the images that run.",
    remediation=(
        "remove privateRegistryAccessConfig and registryHosts; mirror by Artifact Registry."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/kubernetes-engine/docs/how-to/customize-containerd-configuration",
    applies=lambda resource_type: resource_type in _PATHS,
    check=_check,
)

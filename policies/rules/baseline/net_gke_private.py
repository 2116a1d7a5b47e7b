"""Nodes and control plane of GKE have no public address."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.properties import UNKNOWN, entries, flag
from resources.resource import Resource

_POOL: Final = "gcp:container/nodePool:NodePool"
_CLUSTER: Final = "gcp:container/cluster:Cluster"
_DNS_ENDPOINT: Final = ("controlPlaneEndpointsConfig", "dnsEndpointConfig")
_OTHER_LOGINS: Final = ("enableK8sCertsViaDns", "enableK8sTokensViaDns")
_NODES: Final = ("privateClusterConfig", "enablePrivateNodes")


def _pool(pool: object) -> Iterator[str]:
    # Left out, the cluster's choice holds.
    if flag(pool, "networkConfig", "enablePrivateNodes") in (False, UNKNOWN):
        yield "networkConfig.enablePrivateNodes is not true"


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    if resource.type == _POOL:
        yield from _pool(resource.props)
        return
    pools = entries(resource.props, "nodePools")
    for index, pool in enumerate(pools if isinstance(pools, tuple) else ()):
        yield from (f"nodePools[{index}]: {finding}" for finding in _pool(pool))
    if flag(resource.props, *_NODES) is not True:
        yield f"{'.'.join(_NODES)} is not true"
    by_address = flag(resource.props, "controlPlaneEndpointsConfig", "ipEndpointsConfig", "enabled")
    private = flag(resource.props, "privateClusterConfig", "enablePrivateEndpoint")
    if by_address is not False and private is not True:
        yield "its control plane has a public address"
    for name in _OTHER_LOGINS:
        if flag(resource.props, *_DNS_ENDPOINT, name) is True:
            yield f"{'.'.join(_DNS_ENDPOINT)}.{name} takes logins past IAM"


RULE: Final = ResourceRule(
    id="net-gke-private",
    display_name="GKE is private",
    description=(
        "GKE nodes have no external address, and the control plane is reached by DNS endpoint "
        "or privately only."
    ),
    why=(
        "A public control plane or node is one leaked credential or one open port away from anyone."
    ),
    remediation=(
        "set privateClusterConfig.enablePrivateNodes, and switch off ipEndpointsConfig or set "
        "enablePrivateEndpoint."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/kubernetes-engine/docs/concepts/network-isolation",
    references=(
        Reference("CIS GKE", "5.6.4"),
        Reference("CIS GKE", "5.6.5"),
        Reference("checkov", "CKV_GCP_18"),
        Reference("checkov", "CKV_GCP_25"),
        Reference("checkov", "CKV_GCP_64"),
        Reference("trivy", "GCP-0053"),
        Reference("trivy", "GCP-0059"),
    ),
    applies=lambda resource_type: resource_type in (_CLUSTER, _POOL),
    check=_check,
)

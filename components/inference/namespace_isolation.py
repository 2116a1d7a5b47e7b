"""NamespaceIsolation: who may open a connection to the pods of a namespace.

Owns two NetworkPolicies. Does not own the namespace, and says nothing of what pods call: egress is
left to the network's firewall. Dataplane V2 enforces them without anything else.
"""

from collections.abc import Sequence
from typing import Annotated, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.networking.v1 import NetworkPolicyPeerArgsDict

from catalog.conventions import NAMESPACE_NAME_LABEL
from catalog.limits import Entries
from components.validation import Problems, component_type, register

COLLECTOR_NAMESPACES = ("gke-gmp-system", "gmp-system")
"""Where the collectors of Managed Service for Prometheus are: on Autopilot clusters, on others."""


class NamespaceIsolationArgs(TypedDict):
    """Arguments of `NamespaceIsolation`."""

    namespace: pulumi.Input[str]
    """Kubernetes namespace."""
    load_balancer_ranges: Annotated[
        Sequence[pulumi.Input[str]], Entries("whose requests are served")
    ]
    """Addresses of the load balancer's proxies and of Google's health checks: CIDR."""


class NamespaceIsolation(pulumi.ComponentResource):
    """Denies connections to the pods of a namespace, but for those that serving models needs.

    The proxies of a load balancer reach replicas, pickers, routers and callouts at their own
    addresses, from the proxy-only subnet, as do Google's health checks from theirs: the ranges that
    the network's firewall allows. Within the namespace pickers ask replicas, and the nodes of a
    replica each other. The collectors of metrics are pods of their own. Probes come from the node a
    pod runs on, which is always allowed.

    Not tried on a cluster: check the pools' health before and after. Sources:
    https://kubernetes.io/docs/concepts/services-networking/network-policies
    https://cloud.google.com/load-balancing/docs/proxy-only-subnets
    https://github.com/GoogleCloudPlatform/prometheus-engine/blob/main/manifests/operator.yaml

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    """

    policy_name: pulumi.Output[str]
    """Name of the policy that denies, known once both are there."""

    def __init__(
        self,
        name: str,
        args: NamespaceIsolationArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(component_type(NamespaceIsolation), name, {}, opts)
        validate_namespace_isolation(args).raise_if_any(f"NamespaceIsolation {name}")
        namespace = args["namespace"]
        allowed = kubernetes.networking.v1.NetworkPolicy(
            f"{name}-allow-serving",
            metadata={"name": "allow-serving", "namespace": namespace},
            spec={
                "pod_selector": {},
                "policy_types": ["Ingress"],
                "ingress": [{"from_": _peers(args["load_balancer_ranges"])}],
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        denied = kubernetes.networking.v1.NetworkPolicy(
            f"{name}-deny-ingress",
            metadata={"name": "deny-ingress", "namespace": namespace},
            spec={"pod_selector": {}, "policy_types": ["Ingress"]},
            # Else what serves would be cut off until the other one is there.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[allowed]),
        )
        self.policy_name = denied.metadata.name
        register(self)


def validate_namespace_isolation(args: NamespaceIsolationArgs) -> Problems:
    """Check the plain values of the arguments."""
    return Problems.of(NamespaceIsolationArgs, args)


def _peers(ranges: Sequence[pulumi.Input[str]]) -> list[NetworkPolicyPeerArgsDict]:
    return [
        *({"ip_block": {"cidr": each}} for each in ranges),
        {"pod_selector": {}},
        {
            "namespace_selector": {
                "match_expressions": [
                    {
                        "key": NAMESPACE_NAME_LABEL,
                        "operator": "In",
                        "values": list(COLLECTOR_NAMESPACES),
                    }
                ]
            }
        },
    ]

"""TeamNamespace: a team's place in a cluster, how much it may take there, and who may look in.

Owns the namespace, its quota and defaults, its network policies and the rights of the team's
members in it. Does not own the models in it, nor the IAM role by which members reach the cluster.
"""

from collections.abc import Sequence
from typing import Annotated, Final, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.rbac.v1 import PolicyRuleArgsDict, SubjectArgsDict

from catalog.conventions import GPUS, TEAM_LABEL, TPUS
from catalog.limits import Entries
from catalog.limits import inference as limits
from catalog.limits.names import KUBERNETES_NAME
from components.inference.custom_resources import (
    HTTP_ROUTE,
    INFERENCE_OBJECTIVE,
    INFERENCE_POOL,
    LEADER_WORKER_SET,
)
from components.inference.namespace_isolation import NamespaceIsolation
from components.inference.pods import DISK, EPHEMERAL, LEAST_DISK, RESTRICTED
from components.ready import after
from components.validation import Problems, component_type, register

_RBAC: Final = "rbac.authorization.k8s.io"
_READS: Final = ("get", "list", "watch")
_SEEN: Final = {
    "": (
        *("pods", "pods/log", "events", "services", "configmaps", "serviceaccounts"),
        *("resourcequotas", "limitranges"),
    ),
    "apps": ("deployments", "replicasets"),
    "autoscaling": ("horizontalpodautoscalers",),
    "policy": ("poddisruptionbudgets",),
    INFERENCE_POOL.group: ("inferencepools",),
    INFERENCE_OBJECTIVE.group: ("inferenceobjectives",),
    HTTP_ROUTE.group: ("httproutes",),
    LEADER_WORKER_SET.group: ("leaderworkersets",),
}
"""What members may read, by API group: no secrets, and nothing of the gateway's namespace."""


class TeamNamespaceArgs(TypedDict):
    """Arguments of `TeamNamespace`."""

    namespace: Annotated[str, KUBERNETES_NAME]
    """Name of the namespace."""
    team: Annotated[str, limits.TEAM]
    """Name of the team, a label of the namespace."""
    load_balancer_ranges: Annotated[
        Sequence[pulumi.Input[str]], Entries("whose requests are served")
    ]
    """Addresses of the load balancer's proxies and of Google's health checks: CIDR."""
    gpus: NotRequired[Annotated[int, limits.TEAM_DEVICES]]
    """GPUs, or partitions of them, that its pods may take."""
    tpus: NotRequired[Annotated[int, limits.TEAM_DEVICES]]
    """Chips of TPUs that its pods may take."""
    memory_gib: NotRequired[Annotated[int, limits.TEAM_MEMORY_GIB]]
    """Memory that its pods may ask for, in GiB (default: no limit)."""
    pods: NotRequired[Annotated[int, limits.TEAM_PODS]]
    """Pods that it may have."""
    members: NotRequired[Sequence[Annotated[str, limits.TEAM_MEMBER]]]
    """Who may see what is in it and restart its pods: `group:search@acme.com`. Groups need
    `GkeCluster.security_group`."""


class TeamNamespace(pulumi.ComponentResource):
    """A namespace with a quota, for what one team serves.

    The quota is on GPUs, chips of TPUs, pods and memory, and takes no Service with a door of its
    own. A container that says nothing gets a little CPU and memory. Pods keep to the Restricted
    profile, and take connections from the load balancer, from each other and from the collectors of
    metrics alone. Members read everything but secrets, and delete pods, which start anew: what is
    deployed is the program's, so that nobody in the namespace can make a pod that runs as another
    account, or a route to the Gateway.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://kubernetes.io/docs/concepts/policy/resource-quotas
    https://cloud.google.com/kubernetes-engine/docs/how-to/google-groups-rbac
    """

    namespace: pulumi.Output[str]
    """Name of the namespace, known once its quota and its network policies are there."""

    def __init__(
        self, name: str, args: TeamNamespaceArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(TeamNamespace), name, {}, opts)
        validate_team_namespace(args).raise_if_any(f"TeamNamespace {name}")
        child = pulumi.ResourceOptions(parent=self)
        made = kubernetes.core.v1.Namespace(
            f"{name}-namespace",
            metadata={
                "name": args["namespace"],
                "labels": {**RESTRICTED, TEAM_LABEL: args["team"]},
            },
            opts=child,
        )
        namespace = made.metadata.name
        quota = kubernetes.core.v1.ResourceQuota(
            f"{name}-quota",
            metadata={"name": "team", "namespace": namespace},
            spec={"hard": hard_limits(args)},
            opts=child,
        )
        defaults = kubernetes.core.v1.LimitRange(
            f"{name}-defaults",
            metadata={"name": "team", "namespace": namespace},
            spec={
                "limits": [
                    {
                        "type": "Container",
                        "default_request": {
                            "cpu": "100m",
                            "memory": "128Mi",
                            EPHEMERAL: LEAST_DISK,
                        },
                        "default": {"memory": "512Mi", EPHEMERAL: DISK},
                    }
                ]
            },
            opts=child,
        )
        isolation = NamespaceIsolation(
            f"{name}-isolation",
            {"namespace": namespace, "load_balancer_ranges": args["load_balancer_ranges"]},
            child,
        )
        if args.get("members"):
            _rights(name, namespace, args.get("members", ()), child)
        self.namespace = after(
            args["namespace"], made.id, quota.id, defaults.id, isolation.policy_name
        )
        register(self)


def validate_team_namespace(args: TeamNamespaceArgs) -> Problems:
    """Check the plain values of the arguments."""
    return Problems.of(TeamNamespaceArgs, args)


def hard_limits(args: TeamNamespaceArgs) -> dict[str, str]:
    """Return what the quota holds."""
    devices = limits.TEAM_DEVICES.default
    hard = {
        f"requests.{GPUS}": str(args.get("gpus", devices)),
        f"requests.{TPUS}": str(args.get("tpus", devices)),
        "pods": str(args.get("pods", limits.TEAM_PODS.default)),
        "services.loadbalancers": "0",
        "services.nodeports": "0",
    }
    if "memory_gib" in args:
        hard["requests.memory"] = f"{args['memory_gib']}Gi"
    return hard


def _rights(
    name: str,
    namespace: pulumi.Output[str],
    members: Sequence[str],
    child: pulumi.ResourceOptions,
) -> None:
    rules: list[PolicyRuleArgsDict] = [
        {"api_groups": [group], "resources": list(seen), "verbs": list(_READS)}
        for group, seen in _SEEN.items()
    ]
    rules.append({"api_groups": [""], "resources": ["pods"], "verbs": ["delete"]})
    metadata = {"name": "team-members", "namespace": namespace}
    role = kubernetes.rbac.v1.Role(f"{name}-role", metadata=metadata, rules=rules, opts=child)
    kubernetes.rbac.v1.RoleBinding(
        f"{name}-role-binding",
        metadata=metadata,
        role_ref={"api_group": _RBAC, "kind": "Role", "name": role.metadata.name},
        subjects=[_subject(each) for each in members],
        opts=child,
    )


def _subject(member: str) -> SubjectArgsDict:
    """Return who a member is to Kubernetes: users and service accounts by their address."""
    kind, _, address = member.partition(":")
    return {
        "api_group": _RBAC,
        "kind": "Group" if kind == "group" else "User",
        "name": address,
    }


__all__ = ["TeamNamespace", "TeamNamespaceArgs", "hard_limits", "validate_team_namespace"]

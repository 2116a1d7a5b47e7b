"""What the metrics adapter may do in its cluster: no more than Google's manifest gives it.

Who asks is checked by the API server; which pods a metric is of is read from it.
"""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.rbac.v1 import RoleRefArgsDict, SubjectArgsDict

_READS = ("get", "list", "watch")


def adapter_rights(
    name: str,
    account: str,
    namespace: pulumi.Input[str],
    labels: Mapping[str, str],
    opts: pulumi.ResourceOptions,
) -> Sequence[pulumi.Resource]:
    """Make the roles and bindings of the account; it starts well only once it has them."""
    subjects: list[SubjectArgsDict] = [
        {"kind": "ServiceAccount", "name": account, "namespace": namespace}
    ]
    reader = kubernetes.rbac.v1.ClusterRole(
        f"{name}-reader",
        metadata={"name": f"{account}-metrics-adapter", "labels": labels},
        rules=[{"api_groups": [""], "resources": ["pods", "nodes"], "verbs": list(_READS)}],
        opts=opts,
    )
    read = kubernetes.rbac.v1.ClusterRoleBinding(
        f"{name}-read",
        metadata={"name": f"{account}-metrics-adapter", "labels": labels},
        role_ref=_role("ClusterRole", reader.metadata.name),
        subjects=subjects,
        opts=opts,
    )
    ask = kubernetes.rbac.v1.ClusterRoleBinding(
        f"{name}-ask-who-calls",
        metadata={"name": f"{account}-metrics-adapter-auth", "labels": labels},
        role_ref=_role("ClusterRole", "system:auth-delegator"),
        subjects=subjects,
        opts=opts,
    )
    know = kubernetes.rbac.v1.RoleBinding(
        f"{name}-know-the-api-server",
        metadata={
            "name": f"{account}-metrics-adapter-auth",
            "namespace": "kube-system",
            "labels": labels,
        },
        role_ref=_role("Role", "extension-apiserver-authentication-reader"),
        subjects=subjects,
        opts=opts,
    )
    return [read, ask, know]


def _role(kind: str, name: pulumi.Input[str]) -> RoleRefArgsDict:
    return {"api_group": "rbac.authorization.k8s.io", "kind": kind, "name": name}

"""What every pod of the inference platform has in common: labels and a restricted security context.

Follows the Restricted profile of https://kubernetes.io/docs/concepts/security/pod-security-standards
"""

from collections.abc import Mapping

from pulumi_kubernetes.core.v1 import (
    EnvVarArgsDict,
    PodSecurityContextArgsDict,
    ProbeArgsDict,
    ResourceRequirementsArgsDict,
    SecurityContextArgsDict,
    TopologySpreadConstraintArgsDict,
    VolumeArgsDict,
)

RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
"""Labels of a namespace that takes no pod beyond the Restricted profile."""
EPHEMERAL = "ephemeral-storage"
DISK = "1Gi"
"""What a container that keeps nothing may fill: its logs and temporary files."""
LEAST_DISK = "100Mi"
"""What is kept free for it, well below its limit: a limit alone would be taken for the request."""
DISTROLESS_USER = 65532
"""User `nonroot` of the distroless images."""


def selector_labels(component: str, instance: str) -> dict[str, str]:
    """Return the labels that select the pods of one workload, and nothing else."""
    return {"app.kubernetes.io/name": component, "app.kubernetes.io/instance": instance}


def pod_security(user: int, group: int) -> PodSecurityContextArgsDict:
    """Return a pod security context for a user that is not root."""
    return {
        "run_as_non_root": True,
        "run_as_user": user,
        "run_as_group": group,
        "fs_group": group,
        "seccomp_profile": {"type": "RuntimeDefault"},
    }


def container_security(*, read_only_root: bool) -> SecurityContextArgsDict:
    """Return a container security context without privileges."""
    return {
        "allow_privilege_escalation": False,
        "capabilities": {"drop": ["ALL"]},
        "read_only_root_filesystem": read_only_root,
    }


def spread_over_nodes(selector: Mapping[str, str]) -> list[TopologySpreadConstraintArgsDict]:
    """Return the wish that the pods of a workload run on different nodes, where there are some."""
    return [
        {
            "max_skew": 1,
            "topology_key": "kubernetes.io/hostname",
            "when_unsatisfiable": "ScheduleAnyway",
            "label_selector": {"match_labels": dict(selector)},
        }
    ]


def grpc_probe(port: int, period_seconds: int, service: str = "") -> ProbeArgsDict:
    """Return a probe that asks the gRPC health service."""
    return {"grpc": {"port": port, "service": service}, "period_seconds": period_seconds}


def tcp_probe(port: int | str, period_seconds: int) -> ProbeArgsDict:
    """Give a probe of life alone: what listens is alive, whether or not it is ready."""
    return {"tcp_socket": {"port": port}, "period_seconds": period_seconds}


def extension_startup_probe(ext_proc_port: int) -> ProbeArgsDict:
    """Hold back the other probes of a program of the inference extension until it answers Envoy.

    It makes itself a key of 4,096 bits first, while its health service says already that it serves.
    """
    return {**tcp_probe(ext_proc_port, 1), "failure_threshold": 120}


def http_probe(path: str, port: str, period_seconds: int) -> ProbeArgsDict:
    """Return a probe that asks a path on a named port."""
    return {"http_get": {"path": path, "port": port}, "period_seconds": period_seconds}


def resources(
    requests: Mapping[str, str], limits: Mapping[str, str], disk: str = DISK
) -> ResourceRequirementsArgsDict:
    """Return the resources of a container, which may fill no more than `disk` of the node's."""
    return {
        "requests": {**requests, EPHEMERAL: LEAST_DISK},
        "limits": {**limits, EPHEMERAL: disk},
    }


def scratch(name: str, size: str) -> VolumeArgsDict:
    """Return an empty volume that takes no more than `size` of the node's disk."""
    return {"name": name, "empty_dir": {"size_limit": size}}


def field_variable(name: str, path: str) -> EnvVarArgsDict:
    """Return an environment variable that holds a field of the pod."""
    return {"name": name, "value_from": {"field_ref": {"field_path": path}}}


def extension_flags(ext_proc_port: int, health_port: int, metrics_port: int) -> list[str]:
    """Return the flags that every program of the inference extension takes alike.

    Metrics need no token: asking the API server about each would take a cluster-wide role.
    """
    return [
        f"--grpc-port={ext_proc_port}",
        f"--grpc-health-port={health_port}",
        f"--metrics-port={metrics_port}",
        "--metrics-endpoint-auth=false",
        "--enable-pprof=false",
        "--tracing=false",
        "--zap-encoder=json",
    ]

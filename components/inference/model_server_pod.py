"""The pod of a vLLM replica: probes, volumes, security, and a slow stop.

Follows the deployment of the Gateway API Inference Extension:
https://github.com/kubernetes-sigs/gateway-api-inference-extension/tree/v1.5.0/config/manifests/vllm
"""

from collections.abc import Mapping, Sequence

import pulumi
from pulumi_kubernetes.core.v1 import (
    ContainerArgsDict,
    HTTPGetActionArgsDict,
    PodSpecArgsDict,
    TolerationArgsDict,
    VolumeArgsDict,
    VolumeMountArgsDict,
)

from catalog import ports
from components.inference import vllm
from components.inference.pods import container_security, pod_security, resources, scratch

VLLM_USER = 2000
VLLM_GROUP = 2000
"""Not the image's group 0: what vLLM writes is in volumes, which are this group's."""
HOME = "/home/vllm"
TOKEN_DIRECTORY = "/var/run/secrets/hugging-face"  # noqa: S105 - a directory
GRACE_AFTER_DRAIN_SECONDS = 30
STARTUP_PROBE_SECONDS = 10
DISK_GIB_PER_GPU = 200
"""More than the memory of any GPU, so it holds the files of each model that fits, and caches."""
HEALTH: HTTPGetActionArgsDict = {"path": vllm.HEALTH_PATH, "port": "http"}


def pod_spec(
    *,
    account: str,
    image: pulumi.Input[str],
    arguments: Sequence[str],
    amounts: Mapping[str, str],
    disk_gib: int,
    node_selector: Mapping[str, str],
    tolerations: Sequence[TolerationArgsDict],
    environment: Mapping[str, str],
    token_file: str | None,
    startup_timeout_seconds: int,
    drain_seconds: int,
    guardrail: ContainerArgsDict | None = None,
) -> PodSpecArgsDict:
    """Return the spec of the pod. A `token_file` is mounted from a SecretProviderClass
    `account`."""
    disk = f"{disk_gib}Gi"
    variables = {
        # The user of the image, so that a cache directory needs no entry in /etc/passwd.
        "USER": "vllm",
        "HOME": HOME,
        "VLLM_NO_USAGE_STATS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        **environment,
    }
    mounts: list[VolumeMountArgsDict] = [
        {"name": "home", "mount_path": HOME},
        {"name": "tmp", "mount_path": "/tmp"},  # noqa: S108 - the pod's own
        {"name": "shared-memory", "mount_path": "/dev/shm"},  # noqa: S108 - the pod's own
    ]
    volumes: list[VolumeArgsDict] = [
        scratch("home", disk),
        scratch("tmp", disk),
        # Tensor parallel workers talk through it; the default of 64 MiB is too small.
        {
            "name": "shared-memory",
            "empty_dir": {"medium": "Memory", "size_limit": amounts["memory"]},
        },
    ]
    if token_file is not None:
        variables["HF_TOKEN_PATH"] = f"{TOKEN_DIRECTORY}/{token_file}"
        mounts.append({"name": "hugging-face", "mount_path": TOKEN_DIRECTORY, "read_only": True})
        volumes.append(
            {
                "name": "hugging-face",
                "csi": {
                    "driver": "secrets-store-gke.csi.k8s.io",
                    "read_only": True,
                    "volume_attributes": {"secretProviderClass": account},
                },
            }
        )
    return {
        "service_account_name": account,
        "automount_service_account_token": False,
        # Service variables such as VLLM_PORT would be read as settings of vLLM.
        "enable_service_links": False,
        "node_selector": dict(node_selector),
        "tolerations": list(tolerations),
        "security_context": pod_security(VLLM_USER, VLLM_GROUP),
        "termination_grace_period_seconds": drain_seconds + GRACE_AFTER_DRAIN_SECONDS,
        "volumes": volumes,
        "containers": [
            *([guardrail] if guardrail else []),
            {
                "name": "vllm",
                "image": image,
                "command": list(vllm.COMMAND),
                "args": list(arguments),
                "env": [{"name": key, "value": value} for key, value in variables.items()],
                "ports": [{"name": "http", "container_port": ports.MODEL_SERVER}],
                # Equal requests and limits make the pod Guaranteed: evicted last.
                "resources": resources(amounts, amounts, disk),
                "security_context": container_security(read_only_root=False),
                "volume_mounts": mounts,
                "startup_probe": {
                    "http_get": HEALTH,
                    "period_seconds": STARTUP_PROBE_SECONDS,
                    "failure_threshold": -(-startup_timeout_seconds // STARTUP_PROBE_SECONDS),
                },
                "readiness_probe": {
                    "http_get": HEALTH,
                    "period_seconds": 5,
                    "failure_threshold": 1,
                },
                # The server answers; an engine that died ends it by itself.
                "liveness_probe": {
                    "http_get": {"path": vllm.ALIVE_PATH, "port": "http"},
                    "period_seconds": 10,
                    "failure_threshold": 5,
                },
                # vLLM stops accepting at SIGTERM; the load balancer must have left before.
                "lifecycle": {"pre_stop": {"sleep": {"seconds": drain_seconds}}},
            },
        ],
    }

"""The container of a guardrail in front of the model server, in the same pod."""

from pulumi_kubernetes.core.v1 import ContainerArgsDict

from catalog import ports
from catalog.conventions import GUARDRAIL
from catalog.limits import inference as limits
from components.inference import vllm
from components.inference.model_server_arguments import ReplicaGuardrail
from components.inference.pods import container_security, resources

UPSTREAM = f"http://127.0.0.1:{ports.MODEL_SERVER}"


def guardrail_container(guardrail: ReplicaGuardrail, drain_seconds: int) -> ContainerArgsDict:
    """Return the container, by whose name it is known. Its health is the model's too, as it
    forwards /health.

    The load balancer and the endpoint picker ask it, not the model: nothing is routed past it. It
    stops last, as the model does, so that what is answered still passes it.
    """
    amounts = {
        "cpu": guardrail.get("cpu", limits.CPU.default),
        "memory": guardrail.get("memory", limits.MEMORY.default),
    }
    environment = {"UPSTREAM_URL": UPSTREAM, **guardrail.get("environment", {})}
    return {
        "name": GUARDRAIL,
        "image": guardrail["image"],
        "env": [{"name": key, "value": value} for key, value in environment.items()],
        "ports": [{"name": "guarded", "container_port": guardrail["port"]}],
        "resources": resources(amounts, amounts),
        "security_context": container_security(read_only_root=True),
        "volume_mounts": [{"name": "tmp", "mount_path": "/tmp"}],  # noqa: S108 - the pod's own
        "readiness_probe": {
            "http_get": {"path": vllm.HEALTH_PATH, "port": "guarded"},
            "period_seconds": 5,
            "failure_threshold": 1,
        },
        # Asking for the model's health here would restart it while the model loads.
        "liveness_probe": {
            "tcp_socket": {"port": "guarded"},
            "period_seconds": 10,
            "failure_threshold": 5,
        },
        "lifecycle": {"pre_stop": {"sleep": {"seconds": drain_seconds}}},
    }

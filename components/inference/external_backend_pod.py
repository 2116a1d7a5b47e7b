"""The pod of an external backend's proxy, and what the proxy is told."""

from collections.abc import Mapping

from pulumi_kubernetes.core.v1 import PodSpecArgsDict

from catalog import ports, releases
from catalog.limits import inference as limits
from components.inference import envoy_bootstrap, pods
from components.inference.external_backend_arguments import (
    ExternalBackendArgs,
)
from components.network.https import HTTPS_PORT

CONFIG_FILE = "envoy.yaml"
CONFIG_DIRECTORY = "/etc/envoy"
DRAIN_SECONDS = 30
WIDE_LOCATIONS = {
    "global": "aiplatform.googleapis.com",
    "us": "aiplatform.us.rep.googleapis.com",
    "eu": "aiplatform.eu.rep.googleapis.com",
}
"""Vertex AI's servers of locations that are no region, whose names follow no pattern."""


def envoy_config(project: str, args: ExternalBackendArgs) -> str:
    """Return the proxy's configuration."""
    timeout = args.get("request_timeout_seconds", limits.REQUEST_TIMEOUT_SECONDS.default)
    if "https" in args:
        server = args["https"]
        return envoy_bootstrap.bootstrap(
            host=server["host"],
            port=server.get("port", limits.HTTPS_PORT.default),
            path=server.get("path", limits.HTTPS_PATH.default),
            as_workload=False,
            request_timeout_seconds=timeout,
        )
    vertex_ai = args.get("vertex_ai", {"region": ""})
    region, endpoint = vertex_ai["region"], vertex_ai.get("endpoint", limits.OPENAPI)
    return envoy_bootstrap.bootstrap(
        host=vertex_ai.get(
            "host", WIDE_LOCATIONS.get(region, f"{region}-aiplatform.googleapis.com")
        ),
        port=HTTPS_PORT,
        path=f"/v1/projects/{project}/locations/{region}/endpoints/{endpoint}",
        as_workload=True,
        request_timeout_seconds=timeout,
    )


def pod_spec(
    account: str, selector: Mapping[str, str], args: ExternalBackendArgs
) -> PodSpecArgsDict:
    """Return the spec of the pod, whose configuration is in a ConfigMap `account`."""
    return {
        "service_account_name": account,
        "automount_service_account_token": False,
        "enable_service_links": False,
        "security_context": pods.pod_security(pods.DISTROLESS_USER, pods.DISTROLESS_USER),
        "termination_grace_period_seconds": 2 * DRAIN_SECONDS,
        "topology_spread_constraints": pods.spread_over_nodes(selector),
        "volumes": [{"name": "config", "config_map": {"name": account}}],
        "containers": [
            {
                "name": "envoy",
                "image": args.get("image", releases.ENVOY_IMAGE),
                # Envoy takes no `--name=value`. Hot restart would share memory between processes,
                # of which there is one.
                "args": [
                    *("--config-path", f"{CONFIG_DIRECTORY}/{CONFIG_FILE}"),
                    *("--concurrency", "2"),
                    "--disable-hot-restart",
                ],
                "ports": [
                    {"name": "http", "container_port": envoy_bootstrap.PORT},
                    {"name": "metrics", "container_port": ports.METRICS},
                ],
                "liveness_probe": pods.tcp_probe("http", 10),
                "readiness_probe": pods.http_probe(envoy_bootstrap.HEALTH_PATH, "http", 2),
                "resources": pods.resources(
                    {"cpu": "250m", "memory": f"{limits.PROXY_MEMORY_MIB}Mi"}, {"memory": "512Mi"}
                ),
                "security_context": pods.container_security(read_only_root=True),
                "lifecycle": {"pre_stop": {"sleep": {"seconds": DRAIN_SECONDS}}},
                "volume_mounts": [
                    {"name": "config", "mount_path": CONFIG_DIRECTORY, "read_only": True}
                ],
            }
        ],
    }

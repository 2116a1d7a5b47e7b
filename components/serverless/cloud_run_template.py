"""What an instance of a CloudRunService is, and which revision gets how many requests."""

from typing import Any

import pulumi_gcp as gcp

from catalog.conventions import GPUS
from catalog.limits import cloud_run as limits
from components.serverless.cloud_run_arguments import CloudRunServiceArgs
from components.serverless.cloud_run_program import (
    mounts_of,
    network_of,
    variables_of,
    volumes_of,
)


def template_of(name: str, args: CloudRunServiceArgs) -> gcp.cloudrunv2.ServiceTemplateArgsDict:
    """Return the template of the revision that the arguments describe."""
    vpc, gpu, revision = args.get("vpc"), args.get("gpu"), args.get("revision")
    template: gcp.cloudrunv2.ServiceTemplateArgsDict = {
        "service_account": args["service_account"],
        "execution_environment": "EXECUTION_ENVIRONMENT_GEN2",
        "scaling": {
            "min_instance_count": args.get("min_instances", limits.MIN_INSTANCES.default),
            "max_instance_count": args.get("max_instances", limits.MAX_INSTANCES.default),
        },
        "max_instance_request_concurrency": args.get("concurrency", limits.CONCURRENCY.default),
        "timeout": f"{args.get('timeout_seconds', limits.TIMEOUT_SECONDS.default)}s",
        "containers": [_container(args)],
    }
    if revision is not None:
        template["revision"] = f"{name}-{revision}"
    if volumes := volumes_of(args):
        template["volumes"] = volumes
    if vpc is not None:
        template["vpc_access"] = network_of(vpc)
    if gpu is not None:
        template["node_selector"] = {"accelerator": gpu}
        template["gpu_zonal_redundancy_disabled"] = True
    return template


def traffics_of(
    name: str, args: CloudRunServiceArgs
) -> list[gcp.cloudrunv2.ServiceTrafficArgsDict]:
    """Return the split of the requests between revisions."""
    traffic = args.get("traffic", ())
    if not traffic:
        return [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}]
    split: list[gcp.cloudrunv2.ServiceTrafficArgsDict] = []
    for each in traffic:
        share: gcp.cloudrunv2.ServiceTrafficArgsDict = {
            "type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION",
            "revision": f"{name}-{each['revision']}",
            "percent": each["percent"],
        }
        tag = each.get("tag")
        if tag is not None:
            share["tag"] = tag
        split.append(share)
    return split


def _container(args: CloudRunServiceArgs) -> gcp.cloudrunv2.ServiceTemplateContainerArgsDict:
    port = args.get("port", limits.CONTAINER_PORT.default)
    path, gpu = args.get("health_path", limits.HEALTH_PATH.default), args.get("gpu")
    path = None if path == limits.NO_HEALTH else path
    ready_path = args.get("ready_path") or path
    amounts: dict[str, Any] = {
        "cpu": args.get("cpu", limits.CPU.default),
        "memory": f"{args.get('memory_mib', limits.MEMORY_MIB.default)}Mi",
        **({GPUS: "1"} if gpu else {}),
    }
    container: gcp.cloudrunv2.ServiceTemplateContainerArgsDict = {
        "image": args["image"],
        "ports": {"container_port": port},
        "envs": variables_of(args),
        # A GPU is there while the instance is, and so is its CPU.
        "resources": {"limits": amounts, "cpu_idle": gpu is None, "startup_cpu_boost": True},
        # 24 times 10 seconds: the longest Cloud Run lets a container take to start.
        "startup_probe": {
            "period_seconds": 10,
            "timeout_seconds": 5,
            "failure_threshold": 24,
            "http_get": {"path": ready_path, "port": port} if ready_path else None,
            "tcp_socket": None if ready_path else {"port": port},
        },
    }
    if path:
        container["liveness_probe"] = {
            "period_seconds": 30,
            "timeout_seconds": 5,
            "failure_threshold": 3,
            "http_get": {"path": path, "port": port},
        }
    if mounts := mounts_of(args):
        container["volume_mounts"] = mounts
    return container

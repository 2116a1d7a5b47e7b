"""What an instance of a CloudRunService is, and which revision gets how many requests."""

from posixpath import basename, dirname
from typing import Any

import pulumi_gcp as gcp

from catalog.conventions import GPUS
from catalog.limits import cloud_run as limits
from components.serverless.cloud_run_arguments import EGRESS, CloudRunServiceArgs, Secret, Vpc


def template_of(name: str, args: CloudRunServiceArgs) -> gcp.cloudrunv2.ServiceTemplateArgsDict:
    """Return the template of the revision that the arguments describe."""
    files, vpc, gpu, revision = (
        args.get("secret_files", {}),
        args.get("vpc"),
        args.get("gpu"),
        args.get("revision"),
    )
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
    if files:
        template["volumes"] = [
            _volume(position, path, secret, args)
            for position, (path, secret) in enumerate(sorted(files.items()))
        ]
    if vpc is not None:
        template["vpc_access"] = _vpc_access(vpc)
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
    port, files = args.get("port", limits.CONTAINER_PORT.default), args.get("secret_files", {})
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
        "envs": [
            *(
                {"name": variable, "value": value}
                for variable, value in sorted(args.get("environment", {}).items())
            ),
            *_secret_variables(args),
        ],
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
    if files:
        container["volume_mounts"] = [
            {"name": _volume_name(position), "mount_path": dirname(path)}
            for position, path in enumerate(sorted(files))
        ]
    return container


def _secret_variables(
    args: CloudRunServiceArgs,
) -> list[gcp.cloudrunv2.ServiceTemplateContainerEnvArgsDict]:
    return [
        {
            "name": variable,
            "value_source": {
                "secret_key_ref": {
                    "secret": args.get("secret_ids", {})[secret["secret"]],
                    "version": secret.get("version", "latest"),
                }
            },
        }
        for variable, secret in sorted(args.get("secrets", {}).items())
    ]


def _volume(
    position: int, path: str, secret: Secret, args: CloudRunServiceArgs
) -> gcp.cloudrunv2.ServiceTemplateVolumeArgsDict:
    version = secret.get("version", "latest")
    return {
        "name": _volume_name(position),
        "secret": {
            "secret": args.get("secret_ids", {})[secret["secret"]],
            "items": [{"path": basename(path), "version": version}],
        },
    }


def _volume_name(position: int) -> str:
    return f"secret-{position}"


def _vpc_access(vpc: Vpc) -> gcp.cloudrunv2.ServiceTemplateVpcAccessArgsDict:
    interface: gcp.cloudrunv2.ServiceTemplateVpcAccessNetworkInterfaceArgsDict = {
        "network": vpc["network"],
        "subnetwork": vpc["subnetwork"],
    }
    return {
        "egress": EGRESS[vpc.get("egress", limits.EGRESS.default)],
        "network_interfaces": [interface],
    }

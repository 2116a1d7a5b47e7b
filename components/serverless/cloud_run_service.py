"""CloudRunService: a container that answers requests from inside, and scales to zero.

Owns the service and who may call it. Does not own the service account it runs as, nor the grants
of that account.
"""

from collections.abc import Mapping
from typing import NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from components.checks import check_between, check_labels
from components.validation import Problems, component_type

LONGEST_NAME = 49

MEMORY_MIB: Mapping[str, tuple[int, int]] = {
    "1": (512, 4096),
    "2": (512, 8192),
    "4": (2048, 16384),
    "6": (4096, 24576),
    "8": (4096, 32768),
}
"""Least and most memory in MiB by CPU, in the second generation environment.
https://cloud.google.com/run/docs/configuring/services/memory-limits"""

# Set by Cloud Run itself.
_RESERVED_VARIABLES = ("PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION")


class CloudRunServiceArgs(TypedDict):
    """Arguments of CloudRunService."""

    project: pulumi.Input[str]
    """Id of the project."""
    region: str
    """Region of the service."""
    image: pulumi.Input[str]
    """Container image."""
    service_account: pulumi.Input[str]
    """Email of the service account the container runs as."""
    invokers: Mapping[str, pulumi.Input[str]]
    """Emails, by any short name, of the service accounts that may call the service."""
    environment: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Environment variables."""
    cpu: NotRequired[str]
    """CPUs of an instance: 1 (default), 2, 4, 6 or 8."""
    memory_mib: NotRequired[int]
    """Memory of an instance in MiB; default 512."""
    min_instances: NotRequired[int]
    """Instances that are always there; default 0."""
    max_instances: NotRequired[int]
    """Most instances; default 5."""
    concurrency: NotRequired[int]
    """Requests an instance takes at once; default 40."""
    timeout_seconds: NotRequired[int]
    """Longest a request may take in seconds; default 60."""
    port: NotRequired[int]
    """Port the container listens on; default 8080."""
    health_path: NotRequired[str | None]
    """Path that answers GET with 200 when all is well, default `/`. None for a container that has
    none: then it counts as started when its port opens, and is not restarted when it hangs."""
    deletion_protection: NotRequired[bool]
    """Whether the service is protected from deletion; default true."""
    labels: NotRequired[Mapping[str, str]]
    """Google Cloud labels."""


def validate_cloud_run_service(name: str, args: CloudRunServiceArgs) -> Problems:
    """Checks the plain values of the arguments, and that the names made from them are allowed."""
    problems = Problems()
    problems.check_name("name", name)
    if len(name) > LONGEST_NAME:
        problems.add("name", f"found {name!r}, allowed: up to {LONGEST_NAME} characters")
    cpu, memory_mib = args.get("cpu", "1"), args.get("memory_mib", 512)
    if cpu in MEMORY_MIB:
        least, most = MEMORY_MIB[cpu]
        check_between(problems, "memory_mib", memory_mib, least, most, f"MiB with cpu {cpu}")
    else:
        problems.check_one_of("cpu", cpu, MEMORY_MIB)
    least, most = args.get("min_instances", 0), args.get("max_instances", 5)
    check_between(problems, "max_instances", most, 1, 1000, "instances")
    if not 0 <= least <= most:
        problems.add("min_instances", f"found {least}, allowed: 0 to max_instances, {most}")
    check_between(problems, "concurrency", args.get("concurrency", 40), 1, 1000, "requests")
    check_between(problems, "timeout_seconds", args.get("timeout_seconds", 60), 1, 3600, "seconds")
    check_between(problems, "port", args.get("port", 8080), 1, 65535)
    health_path = args.get("health_path", "/")
    if health_path is not None and not health_path.startswith("/"):
        problems.add("health_path", f"found {health_path!r}, allowed: a path that starts with /")
    for variable in args.get("environment", {}):
        if variable in _RESERVED_VARIABLES:
            problems.add(
                f"environment.{variable}",
                f"found {variable!r}, allowed: names other than {', '.join(_RESERVED_VARIABLES)}, "
                "which Cloud Run sets",
            )
    check_labels(problems, "labels", args.get("labels", {}))
    return problems


class CloudRunService(pulumi.ComponentResource):
    """A Cloud Run service that only the given service accounts can call, from inside only.

    Inside means: VPC networks of the project or its perimeter, and Pub/Sub, Cloud Scheduler, Cloud
    Tasks, Eventarc and Workflows of the same project. IAM checks every caller.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/run/docs/securing/ingress
    https://cloud.google.com/run/docs/configuring/healthchecks
    """

    service_name: pulumi.Output[str]
    uri: pulumi.Output[str]
    """Base URL; waits for the invokers' grants."""

    def __init__(
        self, name: str, args: CloudRunServiceArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(CloudRunService), name, {}, opts)
        validate_cloud_run_service(name, args).raise_if_any(f"CloudRunService {name}")
        labels = args.get("labels", {})
        service = gcp.cloudrunv2.Service(
            f"{name}-run",
            name=name,
            project=args["project"],
            location=args["region"],
            ingress="INGRESS_TRAFFIC_INTERNAL_ONLY",
            invoker_iam_disabled=False,
            deletion_protection=args.get("deletion_protection", True),
            labels=labels,
            template={
                "service_account": args["service_account"],
                "execution_environment": "EXECUTION_ENVIRONMENT_GEN2",
                "scaling": {
                    "min_instance_count": args.get("min_instances", 0),
                    "max_instance_count": args.get("max_instances", 5),
                },
                "max_instance_request_concurrency": args.get("concurrency", 40),
                "timeout": f"{args.get('timeout_seconds', 60)}s",
                "containers": [_container(args)],
                "labels": labels,
            },
            traffics=[{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}],
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        grants = [
            gcp.cloudrunv2.ServiceIamMember(
                f"{name}-invoke-{invoker}",
                project=args["project"],
                location=args["region"],
                name=service.name,
                role="roles/run.invoker",
                member=pulumi.Output.concat("serviceAccount:", email),
                opts=pulumi.ResourceOptions(parent=self),
            )
            for invoker, email in args["invokers"].items()
        ]
        self.service_name = service.name
        self.uri = pulumi.Output.all(service.uri, *[grant.id for grant in grants]).apply(
            lambda values: str(values[0])
        )
        self.register_outputs({"service_name": self.service_name, "uri": self.uri})


def _container(
    args: CloudRunServiceArgs,
) -> gcp.cloudrunv2.ServiceTemplateContainerArgsDict:
    port = args.get("port", 8080)
    path = args.get("health_path", "/")
    container: gcp.cloudrunv2.ServiceTemplateContainerArgsDict = {
        "image": args["image"],
        "ports": {"container_port": port},
        "envs": [
            {"name": variable, "value": value}
            for variable, value in sorted(args.get("environment", {}).items())
        ],
        "resources": {
            "limits": {
                "cpu": args.get("cpu", "1"),
                "memory": f"{args.get('memory_mib', 512)}Mi",
            },
            "cpu_idle": True,
            "startup_cpu_boost": True,
        },
        # 24 times 10 seconds: the longest Cloud Run lets a container take to start.
        "startup_probe": {
            "period_seconds": 10,
            "timeout_seconds": 5,
            "failure_threshold": 24,
            "http_get": {"path": path, "port": port} if path else None,
            "tcp_socket": None if path else {"port": port},
        },
    }
    if path:
        container["liveness_probe"] = {
            "period_seconds": 30,
            "timeout_seconds": 5,
            "failure_threshold": 3,
            "http_get": {"path": path, "port": port},
        }
    return container

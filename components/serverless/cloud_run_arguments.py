"""Arguments of CloudRunService, and what is allowed in them."""

import re
from collections.abc import Mapping, Sequence
from posixpath import dirname
from typing import NotRequired, TypedDict

import pulumi

from catalog.cloud_run import CPUS, GPUS, cpus_for, sizes_for
from components.checks import check_between
from components.validation import Problems

LONGEST_NAME = 49

INGRESS: Mapping[str, str] = {
    "internal": "INGRESS_TRAFFIC_INTERNAL_ONLY",
    "load-balancer": "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
    "all": "INGRESS_TRAFFIC_ALL",
}
"""The API's value by ours. https://cloud.google.com/run/docs/securing/ingress"""

EGRESS: Mapping[str, str] = {"private-ranges": "PRIVATE_RANGES_ONLY", "all": "ALL_TRAFFIC"}
"""The API's value by ours. https://cloud.google.com/run/docs/configuring/vpc-direct-vpc"""

# Set by Cloud Run itself.
_RESERVED_VARIABLES = ("PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION")
_REVISION = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_LONGEST_REVISION = 63
_TAG = re.compile(r"[a-z]([a-z0-9-]{0,44}[a-z0-9])?")


class Secret(TypedDict):
    """A version of a secret in Secret Manager."""

    secret: str
    """Short name of one of `secret_ids`; it has this version when the service is made."""
    version: NotRequired[str]
    """Number, or latest (default): as variable read at an instance's start, as file when read."""


class Vpc(TypedDict):
    """The network instances send traffic into, without a connector (direct VPC egress)."""

    network: pulumi.Input[str]
    """Id of the network."""
    subnetwork: pulumi.Input[str]
    """Id of a subnet of the service's region, /26 or larger; instances get addresses of it."""
    egress: NotRequired[str]
    """private-ranges (default): only what goes to private addresses; all: everything."""


class Traffic(TypedDict):
    """A share of the requests, or a tagged address, of one revision."""

    revision: str
    """Suffix of the revision's name, as `revision` gave it."""
    percent: int
    """Share of the requests; those of all entries make 100. 0 with a tag: reached by it alone."""
    tag: NotRequired[str]
    """Gives the revision an address of its own, which begins `<tag>---`."""


class Iap(TypedDict):
    """Identity-Aware Proxy: people sign in with their Google account before the service."""

    service_agent: pulumi.Input[str]
    """Email of the project's IAP service agent, which calls the service."""
    members: Mapping[str, pulumi.Input[str]]
    """Who may pass, by any short name, such as `group:support@acme.com`."""


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
    """Who may call the service, by any short name: emails of service accounts, or members with
    their kind, such as `group:support@acme.com`."""
    environment: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Environment variables."""
    secret_ids: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Ids of secrets of the project that the service may read, by any short name."""
    secrets: NotRequired[Mapping[str, Secret]]
    """Environment variables whose values are secrets."""
    secret_files: NotRequired[Mapping[str, Secret]]
    """Files whose contents are secrets, by absolute path; each in a folder of its own."""
    cpu: NotRequired[str]
    """CPUs of an instance: 1 (default), 2, 4, 6 or 8; 4 or more with a GPU."""
    memory_mib: NotRequired[int]
    """Memory of an instance in MiB; default 512, 16384 or more with a GPU."""
    gpu: NotRequired[str | None]
    """GPU of an instance: nvidia-l4; without (default), none. CPU is billed all the time then."""
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
    ready_path: NotRequired[str | None]
    """Path that answers GET with 200 once the container can work, for the start; default that of
    health_path."""
    vpc: NotRequired[Vpc | None]
    """Network for outgoing traffic; without, none."""
    ingress: NotRequired[str]
    """Where requests come from: internal (default), load-balancer (and internal), or all. IAM
    checks the caller in any case."""
    default_url: NotRequired[bool]
    """Whether its run.app address answers, default true. Pub/Sub, Cloud Scheduler and API Gateway
    call it by that address, a load balancer does not."""
    custom_audiences: NotRequired[Sequence[str]]
    """Audiences callers' tokens may have besides the service's URL, such as a front's address."""
    binary_authorization: NotRequired[bool]
    """Whether images must pass the project's Binary Authorization policy; default false."""
    iap: NotRequired[Iap | None]
    """Who may pass Identity-Aware Proxy before the service; without (default), it isn't there.
    https://cloud.google.com/run/docs/securing/identity-aware-proxy-cloud-run"""
    revision: NotRequired[str | None]
    """Suffix of the name of the revision these arguments describe, `<name>-<revision>`; default:
    Cloud Run makes one up. Change it with whatever else changes; traffic needs it."""
    traffic: NotRequired[Sequence[Traffic]]
    """How requests are split between revisions; default: all go to the latest one."""
    deletion_protection: NotRequired[bool]
    """Whether the service is protected from deletion; default true."""


def validate_cloud_run_service(name: str, args: CloudRunServiceArgs) -> Problems:
    """Check the plain values of the arguments, and that the names made from them are allowed."""
    problems = Problems.of(CloudRunServiceArgs, args)
    problems.check_name("name", name)
    if len(name) > LONGEST_NAME:
        problems.add("name", f"found {name!r}; allowed: up to {LONGEST_NAME} characters")
    _check_size(problems, args)
    least, most = args.get("min_instances", 0), args.get("max_instances", 5)
    check_between(problems, "max_instances", most, 1, 1000, "instances")
    if not 0 <= least <= most:
        problems.add("min_instances", f"found {least}; allowed: 0 to max_instances, {most}")
    check_between(problems, "concurrency", args.get("concurrency", 40), 1, 1000, "requests")
    check_between(problems, "timeout_seconds", args.get("timeout_seconds", 60), 1, 3600, "seconds")
    check_between(problems, "port", args.get("port", 8080), 1, 65535)
    for key, path in (
        ("health_path", args.get("health_path", "/")),
        ("ready_path", args.get("ready_path")),
    ):
        if path is not None and not path.startswith("/"):
            problems.add(key, f"found {path!r}; allowed: a path that starts with /")
    problems.check_one_of("ingress", args.get("ingress"), INGRESS)
    problems.check_one_of("vpc.egress", (args.get("vpc") or {}).get("egress"), EGRESS)
    iap = args.get("iap")
    if iap is not None:
        problems.check_not_empty("iap.members", iap["members"], "who may pass")
    _check_environment(problems, args)
    _check_traffic(problems, name, args)
    return problems


def _check_size(problems: Problems, args: CloudRunServiceArgs) -> None:
    cpu, gpu = args.get("cpu", "1"), args.get("gpu")
    if cpu not in CPUS or gpu not in {None, *GPUS}:
        problems.check_one_of("cpu", cpu, CPUS)
        problems.check_one_of("gpu", gpu, GPUS)
        return
    if cpu not in cpus_for(gpu):
        problems.add("cpu", f"found {cpu!r}; allowed: {', '.join(cpus_for(gpu))} with gpu {gpu}")
        return
    least, most = sizes_for(cpu, gpu)
    beside = f"MiB with cpu {cpu}" + (f" and gpu {gpu}" if gpu else "")
    check_between(problems, "memory_mib", args.get("memory_mib", 512), least, most, beside)


def _check_environment(problems: Problems, args: CloudRunServiceArgs) -> None:
    plain, secret = args.get("environment", {}), args.get("secrets", {})
    for key, variables in (("environment", plain), ("secrets", secret)):
        for variable in variables:
            if variable in _RESERVED_VARIABLES:
                problems.add(
                    f"{key}.{variable}",
                    f"found {variable!r}; allowed: names other than "
                    f"{', '.join(_RESERVED_VARIABLES)}, which Cloud Run sets",
                )
    for variable in sorted(plain.keys() & secret.keys()):
        problems.add(
            f"secrets.{variable}",
            f"found {variable!r}, which environment has too; allowed: each variable once",
        )
    folders: set[str] = set()
    files, known = args.get("secret_files", {}), args.get("secret_ids", {})
    for key, given in (("secrets", secret), ("secret_files", files)):
        for place, each in given.items():
            problems.check_one_of(f"{key}.{place}.secret", each["secret"], known)
    for path in files:
        folder = dirname(path)
        if not path.startswith("/") or path.endswith("/") or folder in {"/", *folders}:
            problems.add(
                f"secret_files.{path}",
                f"found {path!r}; allowed: an absolute path in a folder of its own, not the top; "
                "a mounted secret hides what else is in the folder",
            )
        folders.add(folder)


def _check_traffic(problems: Problems, name: str, args: CloudRunServiceArgs) -> None:
    revision, traffic = args.get("revision"), args.get("traffic", ())
    if traffic and revision is None:
        problems.add(
            "revision",
            "found none; allowed: a suffix; without it the next deployment has no name to split by",
        )
    given = [] if revision is None else [("revision", revision)]
    given += [(f"traffic[{at}].revision", each["revision"]) for at, each in enumerate(traffic)]
    for path, suffix in given:
        if not _REVISION.fullmatch(suffix) or len(f"{name}-{suffix}") > _LONGEST_REVISION:
            problems.add(
                path,
                f"found {suffix!r}; allowed: lowercase letters, digits or hyphens, up to "
                f"{_LONGEST_REVISION} with the service's name before it",
            )
    tags: set[str] = set()
    for at, each in enumerate(traffic):
        tag = each.get("tag")
        check_between(problems, f"traffic[{at}].percent", each["percent"], 0, 100, "percent")
        if each["percent"] == 0 and tag is None:
            problems.add(
                f"traffic[{at}].percent", "found 0 without a tag; allowed: 1 to 100, or give a tag"
            )
        if tag is not None and (not _TAG.fullmatch(tag) or tag in tags):
            problems.add(
                f"traffic[{at}].tag",
                f"found {tag!r}; allowed: up to 46 lowercase letters, digits or hyphens, each once",
            )
        tags.add(tag or "")
    total = sum(each["percent"] for each in traffic)
    if traffic and total != 100:
        problems.add("traffic", f"found {total} percent in all; allowed: 100; change the shares")

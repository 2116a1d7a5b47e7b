"""Arguments of CloudRunService, and what is allowed in them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, NotRequired, TypedDict

import pulumi

from catalog.limits import Choice, Entries, label
from catalog.limits import cloud_run as limits
from catalog.limits.arguments import problems_of
from catalog.limits.images import IMAGE
from catalog.problems import Problem, below
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
    egress: NotRequired[Annotated[str, limits.EGRESS]]
    """private-ranges: only what goes to private addresses; all: everything."""


class Traffic(TypedDict):
    """A share of the requests, or a tagged address, of one revision."""

    revision: Annotated[str, limits.REVISION]
    """Suffix of the revision's name, as `revision` gave it."""
    percent: Annotated[int, limits.PERCENT]
    """Share of the requests; those of all entries make 100. 0 with a tag: reached by it alone."""
    tag: NotRequired[Annotated[str, limits.REVISION_TAG]]
    """Gives the revision an address of its own, which begins `<tag>---`."""


class Iap(TypedDict):
    """Identity-Aware Proxy: people sign in with their Google account before the service."""

    service_agent: pulumi.Input[str]
    """Email of the project's IAP service agent, which calls the service."""
    members: Annotated[Mapping[str, pulumi.Input[str]], Entries("who may pass")]
    """Who may pass, by any short name, such as `group:support@acme.com`."""


class Program(TypedDict):
    """A container image on Cloud Run, and what it is given."""

    project: pulumi.Input[str]
    """Id of the project."""
    region: str
    """Region of it."""
    image: Annotated[pulumi.Input[str], IMAGE]
    """Container image."""
    environment: NotRequired[Mapping[Annotated[str, limits.VARIABLE], pulumi.Input[str]]]
    """Environment variables."""
    secret_ids: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Ids of secrets of the project that the container may read, by any short name."""
    secrets: NotRequired[Mapping[Annotated[str, limits.VARIABLE], Secret]]
    """Environment variables whose values are secrets."""
    secret_files: NotRequired[Mapping[Annotated[str, limits.SECRET_FILE], Secret]]
    """Files whose contents are secrets, by absolute path; each in a folder of its own."""
    vpc: NotRequired[Vpc | None]
    """Network for outgoing traffic; without, none."""
    memory_mib: NotRequired[Annotated[int, limits.MEMORY_MIB]]
    """Memory of an instance or task; 16384 or more with an L4, 81920 with an RTX PRO 6000."""
    binary_authorization: NotRequired[bool]
    """Whether images must pass the project's Binary Authorization policy; default false."""
    deletion_protection: NotRequired[bool]
    """Whether what is made is protected from deletion; default true."""


class Container(Program):
    """A container that answers, and the number of its instances."""

    cpu: NotRequired[Annotated[str, limits.CPU]]
    """CPUs of an instance; 4 or more with an L4, 20 with an RTX PRO 6000."""
    gpu: NotRequired[Annotated[str | None, limits.GPU]]
    """GPU of an instance; without, none. CPU is billed all the time then."""
    min_instances: NotRequired[Annotated[int, limits.MIN_INSTANCES]]
    """Instances that are always there."""
    max_instances: NotRequired[Annotated[int, limits.MAX_INSTANCES]]
    """Most instances."""
    concurrency: NotRequired[Annotated[int, limits.CONCURRENCY]]
    """Requests an instance takes at once."""
    timeout_seconds: NotRequired[Annotated[int, limits.TIMEOUT_SECONDS]]
    """Longest a request may take."""
    port: NotRequired[Annotated[int, limits.CONTAINER_PORT]]
    """Port the container listens on."""
    health_path: NotRequired[Annotated[str, limits.HEALTH_PATH]]
    """Path that answers GET with 200 when all is well; none for a container that has none: then it
    counts as started when its port opens, and is not restarted when it hangs."""
    ready_path: NotRequired[Annotated[str | None, limits.READY_PATH]]
    """Path that answers GET with 200 once the container can work, for the start; default that of
    health_path."""


class CloudRunServiceArgs(Container):
    """Arguments of CloudRunService."""

    service_account: pulumi.Input[str]
    """Email of the service account the container runs as."""
    invokers: Mapping[str, pulumi.Input[str]]
    """Who may call the service, by any short name: emails of service accounts, or members with
    their kind, such as `group:support@acme.com`."""
    ingress: NotRequired[Annotated[str, limits.INGRESS]]
    """Where requests come from: internal, load-balancer (and internal), or all. IAM checks the
    caller in any case."""
    default_url: NotRequired[bool]
    """Whether its run.app address answers, default true. Pub/Sub, Cloud Scheduler and API Gateway
    call it by that address, a load balancer does not."""
    custom_audiences: NotRequired[Sequence[str]]
    """Audiences callers' tokens may have besides the service's URL, such as a front's address."""
    iap: NotRequired[Iap | None]
    """Who may pass Identity-Aware Proxy before the service; without (default), it isn't there.
    https://cloud.google.com/run/docs/securing/identity-aware-proxy-cloud-run"""
    revision: NotRequired[Annotated[str | None, limits.REVISION]]
    """Suffix of the name of the revision these arguments describe, `<name>-<revision>`; default:
    Cloud Run makes one up. Change it with whatever else changes; traffic needs it."""
    traffic: NotRequired[Sequence[Traffic]]
    """How requests are split between revisions; default: all go to the latest one."""


def secrets_known(args: Program) -> Iterator[Problem]:
    """Check that the secrets of variables and files are among those that may be read."""
    known = Choice(args.get("secret_ids", {}))
    variables, files = args.get("secrets", {}), args.get("secret_files", {})
    for key, named in (("secrets", variables), ("secret_files", files)):
        for place, each in named.items():
            yield from below((key, place, "secret"), problems_of(known, each["secret"]))


def validate_cloud_run_service(name: str, args: CloudRunServiceArgs) -> Problems:
    """Check the plain values of the arguments, and that the names made from them are allowed."""
    problems = Problems.of(CloudRunServiceArgs, args)
    # A revision's name, 63 characters long, begins with the service's.
    problems.check_limit(label(LONGEST_NAME, "Cloud Run allows no longer name"), name, "name")
    for rule in (limits.container, limits.variables, limits.traffic):
        problems.extend(rule(args))
    problems.extend(secrets_known(args))
    return problems

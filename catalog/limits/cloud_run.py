"""Limits of containers on Cloud Run, and of what stands before them."""

from collections import Counter
from collections.abc import Iterator, Mapping
from posixpath import dirname
from typing import Any, Final

from catalog.armor import MOST_REQUESTS
from catalog.cloud_run import CPUS, GPUS, cpus_for, sizes_for
from catalog.limits import Choice, Entries, Range, Text, label
from catalog.limits.names import ANYONE
from catalog.problems import Problem, in_order, joined, shown

NO_HEALTH: Final = "none"
CPU: Final = Choice(tuple(CPUS), default="1")
GPU: Final = Choice(tuple(GPUS))
MEMORY_MIB: Final = Range(512, max(each.most_mib for each in CPUS.values()), "MiB", default=512)
MIN_INSTANCES: Final = Range(0, 1000, "instances", default=0)
MAX_INSTANCES: Final = Range(1, 1000, "instances", default=5)
CONCURRENCY: Final = Range(1, 1000, "requests", default=40)
TIMEOUT_SECONDS: Final = Range(1, 3600, "seconds", default=60)
CONTAINER_PORT: Final = Range(1, 65535, default=8080)
HEALTH_PATH: Final = Text(
    f"{NO_HEALTH}|/[^ ?#]*",
    f"a path that starts with /, or {NO_HEALTH}",
    "write it like /healthz",
    default="/",
)
READY_PATH: Final = Text("/[^ ?#]*", "a path that starts with /", "write it like /healthz")
VARIABLE: Final = Text(
    "(?!(?:PORT|K_SERVICE|K_REVISION|K_CONFIGURATION)$|CLOUD_RUN_|X_GOOGLE_)[A-Za-z_][A-Za-z0-9_]{0,127}",
    "letters, digits or underscores, no digit first, not one Cloud Run sets (PORT, K_...)",
    "rename it",
)
SECRET_FILE: Final = Text(
    "(?:/[A-Za-z0-9._-]+){2,}",
    "an absolute path in a folder of its own",
    "write it like /secrets/api/llm_api_key",
)
MEMBER: Final = Text(
    r"(?:user|group|serviceAccount):[^\s@*]+@[^\s@*]+|" + ANYONE,
    "a member: user:, group: or serviceAccount: and an address, or principal://...",
    "write it like group:support@acme.com (the public cannot be let in)",
)
REVISION: Final = label(20, "it becomes part of revision names")
REVISION_TAG: Final = label(40, "it becomes part of an address")
PERCENT: Final = Range(0, 100, "percent")
# From the narrowest to the widest.
INGRESS: Final = Choice(("internal", "load-balancer", "all"), default="internal")
EGRESS: Final = Choice(("private-ranges", "all"), default="private-ranges")

LOAD_BALANCER: Final = Choice(
    ("internal", "regional-external", "global-external"), default="internal"
)
RATE: Final = Range(1, MOST_REQUESTS, "requests")
EXTERNAL_RATE: Final = 600
"""Requests of an address in a minute, where nothing else is said of an external load balancer: the
policies want Cloud Armor before it, and signatures of attacks would refuse prompts."""
CERTIFICATE: Final = Text(
    "projects/[^/]+/locations/[^/]+/certificates/[^/]+",
    "the full name of a certificate in Certificate Manager",
    "write it like projects/acme/locations/us-central1/certificates/chat",
)
API_REGION: Final = Choice(
    (
        *("asia-northeast1", "australia-southeast1", "europe-west1", "europe-west2"),
        *("us-central1", "us-east1", "us-east4", "us-west2", "us-west3", "us-west4"),
    )
)
"""https://cloud.google.com/api-gateway/docs/deployment-model (2026-11-30)"""
API_TIMEOUT_SECONDS: Final = Range(1, 600, "seconds", default=60)
"""https://cloud.google.com/api-gateway/docs/quotas"""
API_RATE: Final = Range(1, 1_000_000, "requests")
ISSUER: Final = Text(
    r"https://[^\s/]+(?:/\S*)?|[^\s@/]+@[^\s@/]+\.[^\s@/]+",
    "an address that begins https://, or the email of a service account",
    "write it as the tokens' iss has it",
)
JWKS_URI: Final = Text(r"https://\S+", "an address that begins https://")
AUDIENCES: Final = Entries("an audience")


def container(given: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield CPU, memory, GPU, region and numbers of instances that do not go together."""
    cpu, gpu = given.get("cpu", CPU.default), given.get("gpu")
    if cpu in CPUS and (gpu is None or gpu in GPUS):
        yield from _size(cpu, gpu, given.get("memory_mib", MEMORY_MIB.default))
    if gpu in GPUS and given["region"] not in GPUS[gpu].regions:
        yield Problem(
            ("gpu",),
            f"{shown(gpu)} in {given['region']}",
            f"regions of Cloud Run that have it: {joined(GPUS[gpu].regions)}",
            "change the region or the gpu",
        )
    yield from in_order(
        min_instances=given.get("min_instances", MIN_INSTANCES.default),
        max_instances=given.get("max_instances", MAX_INSTANCES.default),
    )


def _size(cpu: str, gpu: str | None, memory: int) -> Iterator[Problem]:
    cpus = cpus_for(gpu)
    if cpu not in cpus:
        condition = f"with gpu {gpu}" if gpu else "without a gpu"
        yield Problem(("cpu",), shown(cpu), f"{joined(cpus)} {condition}", "change it or the gpu")
        return
    least, most = sizes_for(cpu, gpu)
    if least <= memory <= most:
        return
    fitting = next(
        (each for each in cpus if sizes_for(each, gpu)[0] <= memory <= sizes_for(each, gpu)[1]),
        None,
    )
    yield Problem(
        ("memory_mib",),
        shown(memory),
        f"{least} to {most} with cpu {cpu}" + (f" and gpu {gpu}" if gpu else ""),
        "change it or the cpu" if fitting is None else f"change it, or the cpu to '{fitting}'",
    )


def variables(given: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield variables that stand twice, and files that share a folder."""
    for variable in given.get("secrets") or ():
        if variable in (given.get("environment") or ()):
            yield Problem(
                ("secrets", variable),
                f"{shown(variable)}, which environment has too",
                "each variable once",
                "remove one of them",
            )
    folders: set[str] = set()
    for file in given.get("secret_files") or ():
        if dirname(file) in folders:
            yield Problem(
                ("secret_files", file),
                f"the folder {shown(dirname(file))} again",
                "a folder of its own for each file",
                "move it: a mounted secret hides what else is there",
            )
        folders.add(dirname(file))


def traffic(given: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield shares of revisions that are not whole, or that nothing leads to."""
    shares = given.get("traffic") or ()
    if not shares:
        return
    if (total := sum(each["percent"] for each in shares)) != 100:
        yield Problem(("traffic",), f"{total} percent in all", "100", "change the shares")
    if given.get("revision") is None:
        yield Problem(
            ("revision",),
            "nothing",
            "a name with traffic",
            "name the revision this config describes",
        )
    tags = Counter[object]()
    for position, each in enumerate(shares):
        tag = each.get("tag")
        if each["percent"] == 0 and tag is None:
            yield Problem(
                ("traffic", position, "percent"),
                "0 without a tag",
                "1 or more, or a tag",
                "remove the entry or give it a tag",
            )
        if tag is not None and tags[tag]:
            where = ("traffic", position, "tag")
            yield Problem(where, f"{shown(tag)} again", "each tag once", "rename it")
        tags[tag] += 1


def callers(given: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield an API Gateway that tells no callers apart, or counts those it cannot tell."""
    rate, keys = given.get("requests_per_minute"), given.get("api_key")
    if given.get("jwt") is None and not keys:
        yield Problem(
            (), "neither jwt nor api_key", "one of them or both", "add one: else anyone may call"
        )
    if rate is not None and not keys:
        yield Problem(
            ("requests_per_minute",),
            shown(rate),
            "a number with api_key: true",
            "add api_key: requests are counted by key",
        )

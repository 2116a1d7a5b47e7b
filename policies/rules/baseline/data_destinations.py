"""Data goes only where the environment says."""

from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.destinations import destinations
from policies.shared.limits import Limits, NamesLimit
from policies.shared.places import destination_problem, own_resources
from policies.shared.rule import StackFinding, StackRule
from resources.resource import Resource

# Public registries that Artifact Registry mirrors.
_REGISTRIES: Final = (
    *("docker.io", "gcr.io", "ghcr.io", "mirror.gcr.io", "nvcr.io", "public.ecr.aws", "pypi.org"),
    *("quay.io", "registry-1.docker.io", "registry.k8s.io", "registry.npmjs.org"),
    *("repo.maven.apache.org", "us-docker.pkg.dev/apigee-release"),
    "us-docker.pkg.dev/google-samples",
)


def _check(resources: Sequence[Resource], limits: Limits) -> Iterator[StackFinding]:
    names = (limits.names(each) for each in ("projects", "places", "registries", "keyProjects"))
    own = own_resources(resources, *names)
    for each in resources:
        for where, value, kind in destinations(each):
            problem = destination_problem(value, kind, own)
            if problem:
                yield StackFinding(f"{where} {problem}", each)


RULE: Final = StackRule(
    id="data-destinations",
    display_name="Data goes where the environment says",
    description=(
        "Push endpoints, topics, tables, buckets, sinks, exports, mirrors, exporters of telemetry, "
        "mounted buckets, shared views, upstreams, charts, repositories that are deployed and keys "
        "are the stack's own, or of projects, places and registries that the environment names."
    ),
    why="One property that leads elsewhere sends every message, table or log to somebody else.",
    remediation=(
        "name a destination of the own project, or add the project, host, bucket or registry to "
        "the rule's limits."
    ),
    severity=Severity.CRITICAL,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/vpc-service-controls/docs/overview",
    limits=(
        NamesLimit(
            "projects",
            "IDs of the projects data may go to; where none is named, the stack's own",
            default=(),
        ),
        NamesLimit(
            "keyProjects",
            "Projects beside those, whose keys of Cloud KMS encrypt the stack's data",
            default=(),
        ),
        NamesLimit(
            "places",
            "Hosts, buckets and repositories, such as github.com/acme, beside the stack's that "
            "data may go to and code come from",
            default=(),
        ),
        NamesLimit(
            "registries",
            "Hosts, or the beginnings of addresses, that images, charts and packages may come from",
            default=_REGISTRIES,
        ),
    ),
    check=_check,
)

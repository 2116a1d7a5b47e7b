"""Endpoints of Vertex AI: regions there are, machines these have, replicas that make sense."""

from collections.abc import Iterator

from catalog.limits.vertex import endpoint
from catalog.problems import Problem, below
from config.checks.references import check_name
from config.known import Known


def check_vertex(known: Known) -> Iterator[Problem]:
    """Check every endpoint."""
    for name, each in known.vertex.items():
        path = ("vertex", name)
        yield from check_name(known, "regions", (*path, "region"), each.region)
        if each.region in known.names.get("regions", ()):
            yield from below(path, endpoint(each.model_dump()))

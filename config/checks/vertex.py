"""Endpoints and indexes of Vertex AI: regions there are, machines these have, replicas that make
sense."""

from collections.abc import Iterator

from catalog.limits.vertex import endpoint
from catalog.problems import Problem, below, in_order
from config.checks.principals import check_principals
from config.checks.references import check_name
from config.known import Known


def check_vertex(known: Known) -> Iterator[Problem]:
    """Check every endpoint, and every index."""
    for name, each in known.vertex.items():
        path = ("vertex", name)
        yield from check_name(known, "regions", (*path, "region"), each.region)
        if each.region in known.names.get("regions", ()):
            yield from below(path, endpoint(each.model_dump()))
    for name, index in known.vector_indexes.items():
        path = ("vector_indexes", name)
        yield from check_name(known, "regions", (*path, "region"), index.region)
        yield from check_principals(known, (*path, "writers"), index.writers)
        bounds = in_order(min_replicas=index.min_replicas, max_replicas=index.max_replicas)
        yield from below(path, bounds)

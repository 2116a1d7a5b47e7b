"""Endpoints of Vertex AI: machines their region has, replicas that make sense."""

from collections.abc import Iterator

from catalog.machines import GPU_MACHINE_TYPES
from config.checks.order import check_order
from config.checks.references import check_name
from config.errors import Problem, listed, shown
from config.known import Known


def check_vertex(known: Known) -> Iterator[Problem]:
    """Check every endpoint."""
    for name, endpoint in known.vertex.items():
        path = ("vertex", name)
        yield from check_name(known, "regions", (*path, "region"), endpoint.region)
        sold = GPU_MACHINE_TYPES[endpoint.machine_type].regions
        if endpoint.region in known.names.get("regions", ()) and endpoint.region not in sold:
            yield Problem(
                (*path, "machine_type"),
                shown(endpoint.machine_type),
                f"a machine type that {endpoint.region} has; this one is in {listed(sold)}",
                "choose another machine type or region",
            )
        yield from check_order(
            path, min_replicas=endpoint.min_replicas, max_replicas=endpoint.max_replicas
        )

"""Zones of node pools that name none: those of their cluster."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from resources.node_pools import MOST_ZONES, ZONE
from resources.properties import MISSING, Absence, entries, get, text
from resources.resource import Resource
from resources.wiring import referenced_names

_POOL: Final = "gcp:container/nodePool:NodePool"
_CLUSTER: Final = "gcp:container/cluster:Cluster"


def with_zones(resources: Sequence[Resource]) -> Iterator[Resource]:
    """Yield the resources, where each node pool that names no zones has as many as its cluster."""
    of_cluster: dict[str, int] = {}
    for each in resources:
        zones = _zones(each) if each.type == _CLUSTER else 0
        for name in {each.urn, *referenced_names(each, "name")} if zones else ():
            # Clusters of one name cannot be told apart by it: the larger one counts.
            of_cluster[name] = max(zones, of_cluster.get(name, 0))
    for each in resources:
        if each.type == _POOL and get(each.props, "nodeLocations") is MISSING:
            most = max(
                (of_cluster.get(name, 0) for name in referenced_names(each, "cluster")), default=0
            )
            if most:
                yield replace(each, props={**each.props, "nodeLocations": ["zone"] * most})
                continue
        yield each


def _zones(cluster: Resource) -> int:
    """Return how many zones a cluster names, the most there can be when not known; 0 for none."""
    found = entries(cluster.props, "nodeLocations")
    if found in (MISSING, ()):
        return 0
    location = text(cluster.props, "location")
    # A zonal cluster names the zones beside its own.
    own = (location,) if isinstance(location, str) and ZONE.fullmatch(location) else ()
    return MOST_ZONES if isinstance(found, Absence) else len({*own, *map(str, found)})

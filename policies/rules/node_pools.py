"""How many nodes a GKE node pool may have."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from policies.rules.peek import MISSING, UNKNOWN, Absence, entries, is_mapping, number, peek, text
from policies.rules.rule import Resource
from policies.rules.wiring import names_of

_POOL: Final = "gcp:container/nodePool:NodePool"
_CLUSTER: Final = "gcp:container/cluster:Cluster"

_ZONE: Final = re.compile(r".*-[a-z]")
# GKE spreads a regional pool over three zones unless told otherwise; a region has at most four.
_DEFAULT_ZONES: Final = 3
_MOST_ZONES: Final = 4


def zones(pool: object) -> int:
    """The number of zones a pool has nodes in, the most it can be when not known."""
    locations = entries(pool, "nodeLocations")
    if locations is UNKNOWN:
        return _MOST_ZONES
    if isinstance(locations, tuple) and locations:
        return len(locations)
    location = text(pool, "location")
    return 1 if isinstance(location, str) and _ZONE.fullmatch(location) else _DEFAULT_ZONES


def with_zones(resources: Sequence[Resource]) -> Iterator[Resource]:
    """The resources, where each node pool that names no zones has those of its cluster."""
    of_cluster: dict[str, int] = {}
    for each in resources:
        found = entries(each.props, "nodeLocations") if each.type == _CLUSTER else MISSING
        if found in (MISSING, ()):
            continue
        location = text(each.props, "location")
        # A zonal cluster names the zones beside its own.
        own = (location,) if isinstance(location, str) and _ZONE.fullmatch(location) else ()
        count = _MOST_ZONES if isinstance(found, Absence) else len({*own, *map(str, found)})
        for name in {each.urn, *names_of(each, "name")}:
            of_cluster[name] = count
    for each in resources:
        if each.type == _POOL and peek(each.props, "nodeLocations") is MISSING:
            most = max((of_cluster.get(name, 0) for name in names_of(each, "cluster")), default=0)
            if most:
                yield replace(each, props={**each.props, "nodeLocations": ["zone"] * most})
                continue
        yield each


def max_nodes(pool: object) -> float | Absence:
    """The most nodes a pool may have over all its zones, `MISSING` if nothing bounds it."""
    autoscaling = peek(pool, "autoscaling")
    if autoscaling is UNKNOWN:
        return UNKNOWN
    if is_mapping(autoscaling):
        # Outputs hold 0 for whichever of the two is not used.
        return _greatest(
            number(autoscaling, "totalMaxNodeCount"),
            _times(number(autoscaling, "maxNodeCount"), zones(pool)),
        )
    per_zone = _greatest(number(pool, "nodeCount"), number(pool, "initialNodeCount"))
    return _times(per_zone, zones(pool))


def min_nodes(pool: object) -> float | Absence:
    """The fewest nodes a pool keeps over all its zones."""
    autoscaling = peek(pool, "autoscaling")
    if not is_mapping(autoscaling):
        return max_nodes(pool)
    bounds = _greatest(
        number(autoscaling, "totalMinNodeCount"),
        _times(number(autoscaling, "minNodeCount"), zones(pool)),
    )
    return 0.0 if bounds is MISSING else bounds


def _greatest(*values: float | Absence) -> float | Absence:
    if UNKNOWN in values:
        return UNKNOWN
    known = [value for value in values if isinstance(value, float)]
    return max(known) if known else MISSING


def _times(value: float | Absence, factor: float) -> float | Absence:
    return value * factor if isinstance(value, float) else value

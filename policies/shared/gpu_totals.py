"""GPUs of several resources together, and where each is."""

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from resources.gpus import GpuDemand
from resources.properties import Absence, text
from resources.resource import Resource

_PLACES: Final = ("location", "zone", "region")
_REGION: Final = re.compile(r"(?:.*/)?([a-z]+-[a-z]+[0-9]+)(?:-[a-z])?")


def total(demands: Sequence[GpuDemand]) -> float:
    """Return the sum, where a cluster's limit and its pools, or a reservation and who uses it,
    count once, by the larger of the two.
    """
    pools: defaultdict[tuple[object, object], float] = defaultdict(float)
    limits: defaultdict[tuple[object, object], float] = defaultdict(float)
    rest = 0.0
    for demand in demands:
        if isinstance(demand.count, Absence):
            continue
        if demand.cluster is None:
            rest += demand.count
        else:
            part = limits if demand.cluster_limit else pools
            part[demand.cluster, demand.type] += demand.count
    return rest + sum(max(pools[key], limits[key]) for key in {*pools, *limits})


def region_of(resource: Resource) -> str | None:
    """Return the region a resource is in, None when it has none or it is not known."""
    for name in _PLACES:
        place = text(resource.props, name)
        match = _REGION.fullmatch(place) if isinstance(place, str) else None
        if match:
            return match[1]
    return None

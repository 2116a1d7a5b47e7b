"""How many nodes a GKE node pool may have."""

import re
from typing import Final

from resources.properties import MISSING, UNKNOWN, Absence, entries, get, is_mapping, number, text

ZONE: Final = re.compile(r".*-[a-z]")
# GKE spreads a regional pool over three zones unless told otherwise; a region has at most four.
_DEFAULT_ZONES: Final = 3
MOST_ZONES: Final = 4


def zones(pool: object) -> int:
    """Return the number of zones a pool has nodes in, the most it can be when not known."""
    locations = entries(pool, "nodeLocations")
    if locations is UNKNOWN:
        return MOST_ZONES
    if isinstance(locations, tuple) and locations:
        return len(locations)
    location = text(pool, "location")
    return 1 if isinstance(location, str) and ZONE.fullmatch(location) else _DEFAULT_ZONES


def max_nodes(pool: object) -> float | Absence:
    """Return the most nodes a pool may have over all its zones, `MISSING` if nothing bounds it."""
    autoscaling = get(pool, "autoscaling")
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
    """Return the fewest nodes a pool keeps over all its zones."""
    autoscaling = get(pool, "autoscaling")
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

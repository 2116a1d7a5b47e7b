"""What costs the same every month, what is billed by use, and what is free: rows of the catalog."""

from collections.abc import Iterator

from catalog.prices import CAPACITY, USAGE, is_free
from cost.model import Item
from cost.pricing import ONE, Bounds, Pricing, by_usage, missing, unknown
from resources.properties import Absence, entries, number
from resources.resource import Resource


def other(resource: Resource, pricing: Pricing) -> Iterator[Item]:
    """Yield the rows of a type that needs no arithmetic; one that has none is told."""
    rows = pricing.of_type(resource.type)
    for name, times in rows:
        found = _amount(resource, times) if times else 1.0
        what = name.replace("-", " ")
        if isinstance(found, Absence):
            yield unknown(resource, f"{times}, which {what} is priced by,", found)
        else:
            amount = Bounds(found, found) if times else ONE
            yield pricing.line(resource, what, pricing.month(name), amount)
    if resource.type in USAGE:
        yield by_usage(resource, USAGE[resource.type])
    elif not rows and not is_free(resource.type):
        module = resource.type.partition(":")[2].partition("/")[0]
        yield missing(
            resource, f"there is no price for {resource.type}", advisory=module not in CAPACITY
        )


def _amount(resource: Resource, path: str) -> float | Absence:
    """Return the number at the path of the inputs, or how many entries a list there has."""
    keys = path.split(".")
    found = entries(resource.props, *keys)
    return float(len(found)) if isinstance(found, tuple) else number(resource.props, *keys)

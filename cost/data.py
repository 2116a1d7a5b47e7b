"""Redis instances."""

from collections.abc import Iterator
from typing import Final

from cost.model import Item
from cost.pricing import Bounds, Pricing, missing, unknown
from resources.properties import MISSING, Absence, number, text
from resources.resource import Resource

_TIERS: Final = {"BASIC": "basic", "STANDARD_HA": "standard"}
# The larger the instance, the less a GiB costs. https://cloud.google.com/memorystore/docs/redis/pricing
_LARGEST_GIB: Final = (4.0, 10.0, 35.0, 100.0)


def redis_instance(resource: Resource, pricing: Pricing) -> Iterator[Item]:
    """Its memory, by tier and size; it always runs."""
    tier, size = text(resource.props, "tier"), number(resource.props, "memorySizeGb")
    if isinstance(size, Absence):
        yield unknown(resource, "the size", size)
        return
    name = "basic" if tier is MISSING else _TIERS.get(tier) if isinstance(tier, str) else None
    if name is None:
        yield missing(resource, "the tier is not known")
        return
    capacity = 1 + sum(size > largest for largest in _LARGEST_GIB)
    price = pricing.month(f"redis-{name}-m{capacity}")
    yield pricing.line(resource, "memory", price, Bounds(size, size))
    if text(resource.props, "readReplicasMode") == "READ_REPLICAS_ENABLED":
        yield missing(resource, "there is no price for read replicas")

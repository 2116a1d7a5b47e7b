"""Environments of Apigee, pay as you go."""

from collections.abc import Iterator
from typing import Final

from cost.model import Item
from cost.pricing import Bounds, Pricing, by_usage
from resources.properties import text
from resources.resource import Resource

INSTANCE: Final = "gcp:apigee/instance:Instance"
_TYPES: Final = ("base", "intermediate", "comprehensive")


def regions(resources: list[Resource]) -> int:
    """Return how many instances of Apigee there are, which is one for each region."""
    return sum(resource.type == INSTANCE for resource in resources)


def environment(resource: Resource, pricing: Pricing, regions: int) -> Iterator[Item]:
    """Yield an environment, in one region at least and in all at most, at the price of its type.

    A type that is not set or not known is anything between the least and the most.
    """
    found = text(resource.props, "type")
    kind = found.lower() if isinstance(found, str) else ""
    least, most = (kind, kind) if kind in _TYPES else (_TYPES[0], _TYPES[-1])
    yield pricing.between(
        resource,
        "API management environment",
        least=pricing.month(f"apigee-{least}"),
        most=pricing.month(f"apigee-{most}"),
        amount=Bounds(1.0, float(max(1, regions))),
    )
    yield by_usage(resource, "calls are billed by number beside that")

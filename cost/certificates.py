"""Private certificate authorities."""

from collections.abc import Iterator, Mapping
from typing import Final

from cost.model import Item
from cost.pricing import Pricing, by_usage
from resources.properties import text
from resources.resource import Resource

POOL: Final = "gcp:certificateauthority/caPool:CaPool"
_TIERS: Final = ("devops", "enterprise")


def tiers(resources: list[Resource]) -> Mapping[str, str]:
    """Return the tier of each pool by its name, where both are known."""
    found: dict[str, str] = {}
    for resource in resources:
        name, tier = text(resource.props, "name"), text(resource.props, "tier")
        if resource.type == POOL and isinstance(name, str) and isinstance(tier, str):
            found[name] = tier
    return found


def authority(resource: Resource, pricing: Pricing, tiers: Mapping[str, str]) -> Iterator[Item]:
    """Yield an authority costs by the tier of its pool: both tiers are bounds when it is not
    known."""
    pool = text(resource.props, "pool")
    tier = tiers.get(pool.rpartition("/")[2]) if isinstance(pool, str) else None
    devops, enterprise = (pricing.month(f"private-ca-{name}") for name in _TIERS)
    yield pricing.between(
        resource,
        "certificate authority",
        least=enterprise if tier == "ENTERPRISE" else devops,
        most=devops if tier == "DEVOPS" else enterprise,
    )
    yield by_usage(resource, "certificates are billed by number beside that")

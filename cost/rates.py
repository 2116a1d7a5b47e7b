"""The catalog's prices, turned into USD per month."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from catalog import prices
from catalog.prices import MachinePrice, Price

HOURS_PER_MONTH = float(prices.HOURS_PER_MONTH)
_PER_MONTH = {"hour": HOURS_PER_MONTH, "second": HOURS_PER_MONTH * 3600, "month": 1.0}


@dataclass(frozen=True)
class Rate:
    """USD for a month of one unit, and the date of the price."""

    name: str
    usd: float
    as_of: date


@dataclass(frozen=True)
class Rates:
    """List prices in USD; None for what has no price."""

    machines: Mapping[str, MachinePrice]
    prices: Mapping[str, Price]
    region: str
    as_of: date

    def machine(self, machine_type: str, capacity: str) -> Rate | None:
        """Return a month of one machine with its GPUs and local SSD.

        `capacity` is `spot`, or anything else for the list price, which is a ceiling for the
        discounted rates of flex-start.
        """
        price = self.machines.get(machine_type)
        if price is None:
            return None
        hour = price.spot if capacity == "spot" else price.on_demand
        return None if hour is None else Rate(machine_type, hour * HOURS_PER_MONTH, price.as_of)

    def of_type(self, token: str) -> list[tuple[str, str]]:
        """Return the prices of a simple type, each with the path that it multiplies."""
        return [(name, each.times) for name, each in self.prices.items() if each.type == token]

    def month(self, name: str) -> Rate | None:
        """Return a month of one unit of a service, where the unit is a time such as
        cluster-hour."""
        price = self.prices.get(name)
        factor = _PER_MONTH.get(price.unit.rpartition("-")[2]) if price else None
        if price is None or factor is None:
            return None
        return Rate(name, price.usd * factor, price.as_of)


CATALOG = Rates(prices.MACHINE_PRICES, prices.PRICES, prices.REGION, prices.AS_OF)

"""From quantities and prices to the lines of an estimate."""

from dataclasses import dataclass
from datetime import date

from cost.model import Item, Line, Unpriced
from cost.rates import Rate, Rates
from resources.properties import Absence, text
from resources.resource import Resource


@dataclass(frozen=True)
class Bounds:
    """The least and the most of something."""

    minimum: float
    maximum: float

    def times(self, factor: float) -> "Bounds":
        """Both bounds times `factor`."""
        return Bounds(self.minimum * factor, self.maximum * factor)


ONE = Bounds(1.0, 1.0)


class Pricing:
    """Turns quantities into lines. What has no price becomes `Unpriced`, never 0."""

    def __init__(self, rates: Rates, expected_share: float) -> None:
        self._rates = rates
        self._expected_share = expected_share
        self.used: dict[str, date] = {}
        """The dates of the prices asked for, by name."""

    def machine(self, machine_type: str, capacity: str) -> float | None:
        """Return USD for a month of one machine; see `Rates.machine`."""
        return self._use(self._rates.machine(machine_type, capacity))

    def month(self, name: str) -> float | None:
        """Return USD for a month of one unit; see `Rates.month`."""
        return self._use(self._rates.month(name))

    def of_type(self, token: str) -> list[tuple[str, str]]:
        """Return the prices of a simple type, each with the path that it multiplies."""
        return self._rates.of_type(token)

    def _use(self, rate: Rate | None) -> float | None:
        if rate is None:
            return None
        self.used[rate.name] = rate.as_of
        return rate.usd

    def line(self, resource: Resource, what: str, usd: float | None, amount: Bounds) -> Item:
        """Return one line: `amount` of units, each at `usd` per month."""
        if usd is None:
            return missing(resource, f"there is no price for {what}")
        return self.between(resource, what, least=usd, most=usd, amount=amount)

    def between(
        self,
        resource: Resource,
        what: str,
        *,
        least: float | None,
        most: float | None,
        amount: Bounds = ONE,
    ) -> Item:
        """Return one line whose unit costs `least` at the minimum of units and `most` at the
        maximum."""
        if least is None or most is None:
            return missing(resource, f"there is no price for {what}")
        low, high = amount.minimum * least, amount.maximum * most
        expected = low + (high - low) * self._expected_share
        return Line(resource.urn, resource.name, what, low, expected, high)


def missing(resource: Resource, reason: str, *, advisory: bool = False) -> Unpriced:
    """Return something that costs, but for which a price or a quantity lacks."""
    return Unpriced(
        *(resource.urn, resource.name, resource.type, reason), by_usage=False, advisory=advisory
    )


def unknown(resource: Resource, what: str, absence: Absence) -> Unpriced:
    """Something whose quantity is not set or not known."""
    return missing(resource, f"{what} is {absence.value}")


def by_usage(resource: Resource, reason: str) -> Unpriced:
    """Something billed by what is used."""
    return Unpriced(resource.urn, resource.name, resource.type, reason, by_usage=True)


def region(resource: Resource) -> str | None:
    """Return the region a resource is in, None when it has none or it is not known."""
    for path in (("nodeLocations", 0), ("location",), ("region",), ("zone",)):
        place = text(resource.props, *path)
        if isinstance(place, str) and place.count("-"):
            return "-".join(place.lower().rpartition("/")[2].split("-")[:2])
    return None

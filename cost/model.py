"""What goes into an estimate and what comes out of it."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Line:
    """What one part of a resource costs, in USD per month."""

    urn: str
    name: str
    what: str
    minimum: float
    expected: float
    maximum: float


@dataclass(frozen=True)
class Unpriced:
    """What the totals leave out, and why."""

    urn: str
    name: str
    type: str
    reason: str
    by_usage: bool
    """True: billed by what is used, so only use can tell. False: a price or a quantity lacks."""
    advisory: bool = False
    """Whether the totals are as good without it: its service isn't known to bill by capacity."""


Item = Line | Unpriced


@dataclass(frozen=True)
class Estimate:
    """Cost of all resources in USD per month (730 hours), at list prices.

    `minimum` is with everything scaled in to its fewest replicas, `maximum` with everything scaled
    out and working.
    """

    minimum: float
    expected: float
    maximum: float
    lines: tuple[Line, ...]
    unpriced: tuple[Unpriced, ...]
    assumptions: tuple[str, ...]
    as_of: date
    """Of the prices."""

"""Words and numbers of reports."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from plans.plan import CHANGES, Step

_SIGNIFICANT_USD: Final = 0.5
SAME: Final = "the same"


@dataclass(frozen=True)
class Words:
    """What the two sides are called, and what becomes of a resource between them."""

    before: str
    after: str
    operations: Mapping[str, str]
    none: str
    lost: str
    """Before what only the first side has."""
    found: str
    """Before what only the second side has."""


CHANGE: Final = Words(
    "now",
    "after",
    {
        "replace": "to replace",
        "delete": "to delete",
        "update": "to change",
        "create": "to make",
        "import": "to take over",
    },
    none="nothing changes",
    lost="no more",
    found="New",
)


def count_operations(steps: Iterable[Step], words: Words) -> str:
    """Return how many steps do what, or that nothing changes."""
    counts = Counter(each.operation for each in steps)
    found = [f"{counts[each]} {words.operations[each]}" for each in CHANGES if counts[each]]
    return ", ".join(found) or words.none


def usd(amount: float) -> str:
    """Return an amount in whole dollars."""
    return f"${amount:,.0f}"


def difference(then: float, now: float) -> str:
    """Return by how many dollars an amount changes."""
    change = now - then
    if abs(change) < _SIGNIFICANT_USD:
        return SAME
    return f"{'+' if change > 0 else '-'}${abs(change):,.0f}"

"""An estimate as text."""

import textwrap
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from cost.model import Estimate, Unpriced

_TOP: Final = 10
_WIDTH: Final = 50
_COLUMN: Final = 10


def render(estimate: Estimate) -> str:
    """Return the table, and what its totals leave out."""
    return "\n".join(
        (table(estimate), *_unpriced(estimate.unpriced), *_notes(estimate.assumptions))
    )


def table(estimate: Estimate) -> str:
    """Return the largest lines and the totals, in 80 columns."""
    return "\n".join(_rows(estimate))


def _rows(estimate: Estimate) -> Iterator[str]:
    yield _row("USD per month", "minimum", "expected", "maximum")
    lines = sorted(estimate.lines, key=lambda line: (-line.maximum, line.name, line.what))
    for line in lines[:_TOP]:
        label = f"{line.name}: {line.what}"
        yield _row(label, *map(_usd, (line.minimum, line.expected, line.maximum)))
    rest = lines[_TOP:]
    if rest:
        sums = (
            sum(line.minimum for line in rest),
            sum(line.expected for line in rest),
            sum(line.maximum for line in rest),
        )
        yield _row(f"{len(rest)} more", *map(_usd, sums))
    totals = (estimate.minimum, estimate.expected, estimate.maximum)
    yield _row("total", *map(_usd, totals))


def _row(label: str, *columns: str) -> str:
    shown = textwrap.shorten(label, _WIDTH, placeholder=" ...", break_on_hyphens=False)
    return f"{shown:<{_WIDTH}}" + "".join(f"{column:>{_COLUMN}}" for column in columns)


def _usd(amount: float) -> str:
    return f"{amount:,.2f}" if 0 < amount < 10 else f"{amount:,.0f}"


def _unpriced(unpriced: tuple[Unpriced, ...]) -> Iterator[str]:
    for title, by_usage in (("Not priced", False), ("Billed by use, not in the totals", True)):
        names: defaultdict[str, list[str]] = defaultdict(list)
        for each in unpriced:
            if each.by_usage is by_usage:
                names[each.reason].append(each.name)
        if names:
            yield f"{title}:"
        for reason, some in sorted(names.items()):
            yield f"  {reason}: {_listed(sorted(some))}"


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"


def _notes(assumptions: tuple[str, ...]) -> Iterator[str]:
    for assumption in assumptions:
        yield f"  * {assumption}"

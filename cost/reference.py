"""Write the page of every price: `python -m cost.reference [--check]`."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from catalog.pages import kept, table
from catalog.prices import (
    AS_OF,
    HOURS_PER_MONTH,
    MACHINE_PRICES,
    PRICES,
    REGION,
    UNPRICED,
    USAGE,
    MachinePrice,
    Price,
)

PAGE: Final = Path(__file__).parents[1] / "docs" / "reference" / "prices.md"
_ABOUT: Final = f"""\
# Prices

<!-- Written by `python -m cost.reference`. -->

What the estimates of `make preview` and the rules on cost reckon with: list prices in USD of
{REGION}, read on {AS_OF}, without discounts, credits and taxes, {HOURS_PER_MONTH} hours a month.
They stand in [catalog/prices.yaml](../../catalog/prices.yaml), which says what the short names of
sources are: change them there, with date and source. *Confidence* is high where two sources agree,
medium with one, low where it is computed or sources disagree.

## Machines

USD an hour, with GPUs and bundled local SSD. Flex-start and reserved nodes count at the on-demand
price, which is a ceiling."""
_OTHERS: Final = """\
## Everything else

A price with a type counts for each resource of it, times the number at the path of its inputs, or
of the entries of a list there, where there is one; the others are added up by `cost/`."""
_USAGE: Final = """\
## Billed by use

Told beside the sums, not in them."""
_UNPRICED: Final = """\
## Without a price

Told where they occur, never counted as zero."""
_COLUMNS: Final = ("as of", "confidence", "source", "note")


def page() -> str:
    """Return the page."""
    machines = [
        (f"`{name}`", _usd(each.on_demand), _usd(each.spot), *_proof(each))
        for name, each in MACHINE_PRICES.items()
    ]
    prices = [
        (f"`{name}`", _usd(each.usd), each.unit, _counted(each.type, each.times), *_proof(each))
        for name, each in PRICES.items()
    ]
    parts = (
        _ABOUT,
        table(("machine type", "on demand", "spot", *_COLUMNS), machines),
        _OTHERS,
        table(("price", "USD", "for a", "type, times", *_COLUMNS), prices),
        _USAGE,
        table(("type", "how"), [(f"`{token}`", how) for token, how in USAGE.items()]),
        _UNPRICED,
        table(("what", "why"), [(name, why) for name, why in UNPRICED.items()]),
    )
    return "\n\n".join(parts) + "\n"


def _usd(amount: float | None) -> str:
    return "" if amount is None else f"{amount:.10f}".rstrip("0").rstrip(".")


def _counted(token: str, times: str) -> str:
    return " ".join(f"`{each}`" for each in (token, times) if each)


def _proof(row: MachinePrice | Price) -> tuple[str, str, str, str]:
    return str(row.as_of), row.confidence, row.source, row.note


def _pages() -> Mapping[Path, str]:
    return {PAGE: page()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the page; return the exit code."""
    return kept("cost.reference", _pages, arguments)


if __name__ == "__main__":
    sys.exit(main())

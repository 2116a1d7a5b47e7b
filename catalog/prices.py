"""List prices in USD for estimates: machines by the hour, and everything else by its unit."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from catalog.table import read, rows


@dataclass(frozen=True)
class MachinePrice:
    """USD for an hour of a machine with its GPUs and bundled local SSD.

    `spot` is None when there is no source. `confidence` is high, medium or low.
    """

    on_demand: float
    as_of: dt.date
    source: str
    confidence: str
    spot: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Price:
    """USD for one `unit`, such as GiB-month or cluster-hour.

    Where it has a `type`, that is what a resource of it costs, `times` the number at a path of its
    inputs, or of the entries of a list there.
    """

    usd: float
    unit: str
    as_of: dt.date
    source: str
    confidence: str
    note: str = ""
    type: str = ""
    times: str = ""


_document = read("prices.yaml")

AS_OF = dt.date.fromisoformat(str(_document["as_of"]))
REGION = str(_document["region"])
HOURS_PER_MONTH = cast("int", _document["hours_per_month"])
MACHINE_PRICES: Mapping[str, MachinePrice] = rows(MachinePrice, _document, "machines")
PRICES: Mapping[str, Price] = rows(Price, _document, "prices")
USAGE = cast("Mapping[str, str]", _document["usage"])
# Modules of the SDK whose services bill by capacity.
CAPACITY = frozenset(cast("list[str]", _document["capacity"]))
_FREE = cast("Mapping[str, Any]", _document["free"])
_GRANTS = tuple(name.lower() for name in _FREE["grants"])
# What has no price here, and why: to be shown beside a sum, never counted as 0.
UNPRICED: Mapping[str, str] = cast("Mapping[str, str]", _document["unpriced"])


def is_free(token: str) -> bool:
    """Return whether the table says that resources of this type cost nothing."""
    package, _, rest = token.partition(":")
    module, _, name = rest.partition("/")
    name = name.rpartition(":")[2]
    return (
        package in _FREE["packages"]
        or module in _FREE["modules"]
        or name.lower().endswith(_GRANTS)
        or name in _FREE["types"].get(module, ())
    )

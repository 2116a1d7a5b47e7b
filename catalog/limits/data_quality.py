"""Limits of what must hold of a table's rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from catalog.limits import Choice, Entries, Range
from catalog.limits.bigquery import Column, found_column
from catalog.limits.schedules import SCHEDULE
from catalog.problems import Problem, joined, shown

SCAN_SCHEDULE: Final = replace(SCHEDULE, default="0 5 * * *")
PASSING_PERCENT: Final = Range(1, 100, "percent", default=100)
FEWEST_ROWS: Final = Range(1, 1_000_000_000, "rows")
RULES: Final = Entries("a column with what must hold of it")
VALUES: Final = Entries(low=0, high=1000)

_NUMBERS: Final = ("INTEGER", "FLOAT", "NUMERIC", "BIGNUMERIC")
# What is asked of a column, and the types that it can be asked of.
# https://cloud.google.com/dataplex/docs/auto-data-quality-overview#predefined-rules
_ASKED: Final[Mapping[str, Sequence[str]]] = {
    "minimum": _NUMBERS,
    "maximum": _NUMBERS,
    "values": ("STRING",),
    "pattern": ("STRING",),
    "unique": ("STRING", "BYTES", "DATE", "DATETIME", "TIMESTAMP", "TIME", *_NUMBERS),
}
SCANNED_BY: Final = Choice(("DATE", "TIMESTAMP"))
"""Types of a column by which a scan knows what it hasn't seen."""


def rule(given: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with a rule by itself."""
    if not any(_is_asked(given, key) for key in ("required", *_ASKED)):
        yield Problem(
            (),
            "nothing that must hold",
            f"one or more of required, {joined(_ASKED)}",
            "add one, or remove the column",
        )
    least, most = given.get("minimum"), given.get("maximum")
    if least is not None and most is not None and least > most:
        yield Problem(
            ("maximum",), shown(most), f"minimum ({least}) or more", "swap them, or raise it"
        )


def of_columns(fields: Sequence[Column], rules: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield rules of columns that a table does not have, or whose type can't be asked that."""
    for name, asked in rules.items():
        for key, types in {"required": None, **_ASKED}.items():
            if not _is_asked(asked, key):
                continue
            where = ("rules", name) if key == "required" else ("rules", name, key)
            yield from found_column(fields, name, types, where)


def _is_asked(rule: Mapping[str, Any], key: str) -> bool:
    """Return whether a rule says something by a key: 0 is a bound, and no false."""
    value = rule.get(key)
    return value is not None and value is not False and value != ()

"""Limits of queries that fill a table again and again."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from catalog.limits import Text
from catalog.problems import KeyPath, Problem, did_you_mean, joined
from catalog.sql import columns_of, elsewhere, not_one_select

_TIME: Final = "(?:[01]\\d|2[0-3]):[0-5]\\d"
_DAY: Final = "(?:mon|tue|wed|thu|fri|sat|sun)"
EVERY: Final = Text(
    rf"(?:[1-9]|1\d|2[0-4]) hours|(?:[5-9]|[1-9]\d) minutes|(?:day|{_DAY}(?:,{_DAY})*) {_TIME}",
    "`5 minutes` or more, `6 hours`, `day 03:00` or `mon,thu 03:00`, in UTC",
    "write it like day 03:00",
)
"""https://cloud.google.com/appengine/docs/flexible/scheduling-jobs-with-cron-yaml#formatting_the_schedule"""
SOURCE: Final = re.compile(r"\{([a-z][a-z0-9_]*[.][a-z][a-z0-9_]*)\}")
"""How a query names a table: `{inference.predictions}`."""


def query(
    text: str, readable: Mapping[str, str | None], fields: Sequence[Mapping[str, str]]
) -> Iterator[Problem]:
    """Yield what is wrong with a query that fills the columns `fields` from tables, which have a
    column by which queries have to choose, or none."""
    named = list(dict.fromkeys(SOURCE.findall(text)))
    plain = SOURCE.sub(r"\1", text)
    path: KeyPath = ("query",)
    if not named:
        yield Problem(
            path,
            "a query without a table in braces",
            f"one of {joined(readable)}",
            "write it like SELECT model FROM {inference.predictions}",
        )
        return
    for each in named:
        yield from _source(path, each, readable, plain)
    if (found := not_one_select(plain)) is not None:
        remedy = "write one query: its rows are added to the table"
        yield Problem(path, found, "one SELECT of GoogleSQL", remedy)
    elif (found := elsewhere(plain)) is not None:
        remedy = "name a table of the stack file in braces"
        yield Problem(path, found, "tables of this project, without its name", remedy)
    else:
        wanted = [field["name"] for field in fields]
        made = columns_of(plain)
        if made is not None and made != wanted:
            yield Problem(
                path,
                f"the columns {', '.join(made)}",
                f"those of the table, in their order: {', '.join(wanted)}",
                "name each with AS, in that order",
            )


def _source(
    path: KeyPath, name: str, readable: Mapping[str, str | None], text: str
) -> Iterator[Problem]:
    if name not in readable:
        remedy = did_you_mean(name, readable, "add the table, or name one of them")
        yield Problem(path, f"{{{name}}}", joined(readable), remedy)
        return
    day = readable[name]
    if day is not None and not re.search(rf"\b{re.escape(day)}\b", text):
        yield Problem(
            path,
            f"a query of {name} without {day}",
            "one that chooses by the column its table is partitioned by",
            f"add a condition, such as {day} >= TIMESTAMP_SUB(@run_time, INTERVAL 1 DAY)",
        )


def sources(given: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what the arguments of a component name and don't give."""
    known: Collection[str] = given["sources"]
    for name in dict.fromkeys(SOURCE.findall(given["query"])):
        if name not in known:
            yield Problem(("query",), f"{{{name}}}", joined(known), "add it to sources")

"""Limits of batches that ask a model."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from catalog.cloud_run import cpus_for
from catalog.limits import Choice, Range, Text, bigquery, cloud_run, label
from catalog.problems import Problem

NAME: Final = label(22, "it becomes part of account ids")
PREFIX: Final = Text(
    r"(?:[A-Za-z0-9][A-Za-z0-9._-]*/){1,8}",
    "folders, each with a slash behind it",
    "write it like requests/",
)
CPU: Final = Choice(cpus_for(None), default=cloud_run.CPU.default)
COLUMN: Final = bigquery.COLUMN
DAYS: Final = Range(1, 3650, "days", default=7)
MAX_TOKENS: Final = Range(1, 1_000_000, "tokens", default=1024)
SYSTEM_PROMPT: Final = Text(r"[\s\S]{0,20000}", "up to 20000 characters", default="")
CONCURRENCY: Final = Range(1, 256, "requests", default=8)
TASKS: Final = Range(1, 100, "tasks", default=1)
RETRIES: Final = Range(0, 3, "tries", default=3)
TIMEOUT_HOURS: Final = Range(1, 24, "hours", default=24)
"""More, up to 168, is a preview.
https://cloud.google.com/run/docs/configuring/task-timeout (2026-11-30)"""


def places(given: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield an input or an output that is two things or none, and files of both in one folder."""
    for key in ("input", "output"):
        place: Mapping[str, Any] = given[key]
        named = [kind for kind in ("bucket", "table") if place.get(kind) is not None]
        if len(named) != 1:
            yield Problem(
                (key,),
                " and ".join(named) or "neither bucket nor table",
                "one of bucket and table",
                "say where it is",
            )
        elif (place.get("prefix") is None) == (named == ["bucket"]):
            yield Problem(
                (key, "prefix"),
                "nothing" if place.get("prefix") is None else f"{place['prefix']!r}",
                "a prefix with a bucket, none with a table",
                "add or remove it",
            )
    asked, kept = given["input"], given["output"]
    one, other = asked.get("prefix"), kept.get("prefix")
    if one is None or other is None or asked.get("bucket") != kept.get("bucket"):
        return
    if one.startswith(other) or other.startswith(one):
        yield Problem(
            ("output", "prefix"),
            f"{other!r} with {one!r} of the input",
            "folders of one bucket of which none is in the other",
            "change one of them: results would be read as requests",
        )

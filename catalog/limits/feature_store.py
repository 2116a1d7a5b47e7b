"""Limits of features that are served online."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from catalog.limits import Entries, Range, Text
from catalog.limits.bigquery import found_column
from catalog.limits.schedules import SCHEDULE
from catalog.problems import Problem, joined, shown

NAME: Final = Text(
    "[a-z](?:[a-z0-9_]{0,58}[a-z0-9])?",
    "1 to 60 lowercase letters, digits or underscores, a letter first, no underscore last",
    "shorten or change it (it is the name of a feature group and a feature view)",
)
"""https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.featureGroups/create"""
GROUPS: Final = Entries("a feature group")
ENTITY_COLUMNS: Final = Entries("the column that names what the features are of")
MIN_NODES: Final = Range(1, 100, "nodes", default=1)
MAX_NODES: Final = Range(1, 100, "nodes", default=2)
CPU_PERCENT: Final = Range(10, 80, "percent", default=60)
SYNC_SCHEDULE: Final = replace(SCHEDULE, default="0 * * * *")
TIME: Final = "feature_timestamp"
"""Column that says since when values hold: the newest are served."""


def features_of(group: Mapping[str, Any], fields: Sequence[Mapping[str, str]]) -> Sequence[str]:
    """Return the columns that are served: those that are named, or all that are left."""
    apart = {*group["entity_columns"], TIME}
    return group.get("features") or [each["name"] for each in fields if each["name"] not in apart]


def group_of(group: Mapping[str, Any], fields: Sequence[Mapping[str, str]]) -> Iterator[Problem]:
    """Yield columns that a group needs and its table does not have, or as another type."""
    if {each["name"]: each["type"] for each in fields}.get(TIME) != "TIMESTAMP":
        yield Problem(
            ("table",),
            f"a table without a column {TIME} of type TIMESTAMP",
            "one with it: of several rows of a thing the newest is served",
            "add it, or name another table",
        )
    for position, name in enumerate(group["entity_columns"]):
        where = ("entity_columns", position)
        yield from found_column(fields, name, ("STRING", "INTEGER"), where)
    for position, name in enumerate(group.get("features") or ()):
        where = ("features", position)
        yield from found_column(fields, name, None, where)
        if name in (*group["entity_columns"], TIME):
            allowed = f"a column other than {joined({*group['entity_columns'], TIME})}"
            yield Problem(where, shown(name), allowed, "remove it: it comes along")
    if not features_of(group, fields):
        yield Problem(
            ("table",), "a table without other columns", "one with a feature", "add a column"
        )

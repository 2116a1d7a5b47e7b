"""What must hold of the rows of a table."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from catalog.limits import bigquery
from catalog.limits import data_quality as limits
from config.fields import Settings


class ColumnRule(Settings):
    """What must hold of a column. Where it is empty, required alone says whether that is fine."""

    required: bool = False
    """Whether it must be set."""
    unique: bool = False
    """Whether no two rows may have the same."""
    minimum: float | int | None = None
    """Least number."""
    maximum: float | int | None = None
    """Greatest number."""
    values: Annotated[tuple[str, ...], limits.VALUES] = ()
    """What it may be. Default: anything."""
    pattern: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    """Regular expression (RE2) that it matches."""
    passing_percent: Annotated[float, limits.PASSING_PERCENT] = limits.PASSING_PERCENT.default
    """Percent of the rows of which it must hold."""


class Quality(Settings):
    """Scans of a table by rules, and who is told of what doesn't hold: alerts.notify."""

    rules: Annotated[Mapping[Annotated[str, bigquery.COLUMN], ColumnRule], limits.RULES]
    """What must hold, by column."""
    fewest_rows: Annotated[int, limits.FEWEST_ROWS] | None = None
    """Rows that must have come since the scan before. Default: there may be none."""
    schedule: Annotated[str, limits.SCAN_SCHEDULE] = limits.SCAN_SCHEDULE.default
    """When the rows that came since are scanned: fields of cron, in UTC."""
    profile: bool = True
    """Whether it is noted, too, how the values of each column are spread."""

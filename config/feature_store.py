"""Features that are served online, from tables of the warehouse."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from catalog.limits import bigquery
from catalog.limits import feature_store as limits
from config.fields import Settings
from config.principals import Principal

FeatureColumn = Annotated[str, bigquery.COLUMN]


class FeatureGroup(Settings):
    """Features of one kind of thing, such as customers."""

    table: Annotated[str, bigquery.TABLE_PATH]
    """Table that holds them: <dataset>.<table> of data.warehouse, with a column feature_timestamp
    of type TIMESTAMP. Of several rows of a thing the newest is served."""
    entity_columns: Annotated[tuple[FeatureColumn, ...], limits.ENTITY_COLUMNS]
    """Columns that together name the thing."""
    features: tuple[FeatureColumn, ...] = ()
    """Columns that are served. Default: all others of the table."""
    sync_schedule: Annotated[str, limits.SYNC_SCHEDULE] = limits.SYNC_SCHEDULE.default
    """When new values are copied to what serves them: fields of cron, in UTC."""
    readers: Annotated[tuple[Principal, ...], Field(exclude=True)] = ()
    """Who may ask for them."""


class FeatureStore(Settings):
    """Feature groups, and the nodes of Bigtable that serve them."""

    region: str
    """Region of the tables and of what serves them."""
    groups: Annotated[
        Mapping[Annotated[str, limits.NAME], FeatureGroup], limits.GROUPS, Field(exclude=True)
    ]
    """Feature groups by name."""
    min_nodes: Annotated[int, limits.MIN_NODES] = limits.MIN_NODES.default
    """Nodes that always run."""
    max_nodes: Annotated[int, limits.MAX_NODES] = limits.MAX_NODES.default
    """Nodes at most."""
    cpu_percent: Annotated[int, limits.CPU_PERCENT] = limits.CPU_PERCENT.default
    """How busy nodes are, in percent, before one is added."""

    @property
    def tables(self) -> frozenset[str]:
        """The tables that are read, as <dataset>.<table>: whole, whatever their days."""
        return frozenset(group.table for group in self.groups.values())

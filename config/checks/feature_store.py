"""Features: tables that exist, in the store's region, with the columns that are needed."""

from collections.abc import Iterator

from catalog.limits import feature_store as limits
from catalog.problems import Problem, below, did_you_mean, in_order, joined, shown
from config.checks.principals import check_principals
from config.checks.references import check_name
from config.known import Known


def check_feature_store(known: Known) -> Iterator[Problem]:
    """Check every feature group."""
    store = known.feature_store
    if store is None:
        return
    path = ("feature_store",)
    yield from check_name(known, "regions", (*path, "region"), store.region)
    yield from below(path, in_order(min_nodes=store.min_nodes, max_nodes=store.max_nodes))
    for name, group in store.groups.items():
        where = (*path, "groups", name)
        yield from check_principals(known, (*where, "readers"), group.readers)
        if "data" in known.unread:
            continue
        tables = {
            key: table
            for key, table in known.data.tables.items()
            if known.data.warehouse[key.partition(".")[0]].region == store.region
        }
        if group.table not in tables:
            yield Problem(
                (*where, "table"),
                shown(group.table),
                f"a table of data.warehouse in {store.region}: {joined(tables)}",
                did_you_mean(group.table, tables, "add it there"),
            )
            continue
        fields = [each.model_dump() for each in tables[group.table].fields]
        yield from below(where, limits.group_of(group.model_dump(), fields))

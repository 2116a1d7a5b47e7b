"""Tables: what must hold of their rows, and queries that fill them."""

from collections.abc import Iterator, Mapping

from catalog.conventions import dns_label
from catalog.limits import bigquery, data_quality, scheduled_query
from catalog.problems import KeyPath, Problem, below
from config.data import Dataset, Table
from config.known import Known
from config.pipelines import Results


def check_tables(known: Known) -> Iterator[Problem]:
    """Check the tables of the warehouse, and those of pipelines' results."""
    for name, pipeline in known.pipelines.items():
        yield from _check_quality(("pipelines", name, "results"), pipeline.results)
    for name, dataset in known.data.warehouse.items():
        for key, table in dataset.tables.items():
            path = ("data", "warehouse", name, "tables", key)
            yield from _check_quality(path, table)
            yield from _check_query(known, path, dataset, table)
    yield from _check_labels(known)


def _check_labels(known: Known) -> Iterator[Problem]:
    """Check that names made of those of tables, without dots and underscores, differ."""
    named: dict[str, str] = {
        dns_label(pipeline.results_path(name)): f"pipelines.{name}.results"
        for name, pipeline in known.pipelines.items()
        if pipeline.results.quality is not None
    }
    for path, table in known.data.tables.items():
        dataset, _, name = path.partition(".")
        if (table.quality, table.scheduled_query) == (None, None):
            continue
        where = ("data", "warehouse", dataset, "tables", name)
        other = named.setdefault(dns_label(path), ".".join(where))
        if other != ".".join(where):
            yield Problem(
                where,
                f"{path}, where scans and queries are named {dns_label(path)}",
                f"a name other than that of {other}, also with hyphens for dots and underscores",
                "rename one of them",
            )


def _check_quality(path: KeyPath, table: Results) -> Iterator[Problem]:
    quality = table.quality
    if quality is None:
        return
    fields = [each.model_dump() for each in table.fields]
    where = (*path, "quality")
    rules = {name: rule.model_dump() for name, rule in quality.rules.items()}
    for name, rule in rules.items():
        yield from below((*where, "rules", name), data_quality.rule(rule))
    yield from below(where, data_quality.of_columns(fields, rules))
    by_day = {each.name: each.type for each in table.fields}.get(table.partition_field)
    if by_day == "DATETIME":
        yield Problem(
            where,
            f"scans of a table that is partitioned by {table.partition_field}, a DATETIME",
            "those of a table that is partitioned by a DATE or TIMESTAMP: by it they know new rows",
            "partition the table by another column",
        )


def _check_query(known: Known, path: KeyPath, dataset: Dataset, table: Table) -> Iterator[Problem]:
    query = table.scheduled_query
    if query is None or known.unread & {"data", "pipelines"}:
        return
    readable = _readable(known, dataset.region)
    fields = [each.model_dump() for each in table.fields]
    found = scheduled_query.query(query.query, readable, fields)
    yield from below((*path, "scheduled_query"), found)


def _readable(known: Known, region: str) -> Mapping[str, str | None]:
    """Return the tables of a region, by <dataset>.<table>, with the column by which queries choose
    days, None where they need not."""
    whole = known.feature_store.tables if known.feature_store else frozenset[str]()
    results = {
        each.results_path(name): each.results.partition_field
        for name, each in known.pipelines.items()
        if each.region == region
    }
    tables = {
        f"{name}.{key}": None
        if f"{name}.{key}" in whole or key in _in_views(dataset)
        else table.partition_field
        for name, dataset in known.data.warehouse.items()
        if dataset.region == region
        for key, table in dataset.tables.items()
    }
    return {**results, **tables}


def _in_views(dataset: Dataset) -> frozenset[str]:
    views = (*dataset.views.values(), *dataset.materialized_views.values())
    return frozenset(name for view in views for name in bigquery.SOURCE.findall(view.query))

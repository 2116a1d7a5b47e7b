"""Data: ages that fit storage classes, views of tables that exist, keys nearby, sizes of tiers."""

import re
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise
from typing import Final

from catalog.sql import not_one_select
from config.checks.columns import check_columns
from config.checks.pipelines import MINIMUM_DAYS
from config.checks.principals import check_principals
from config.checks.references import check_name
from config.data import Cache, Dataset, LakeBucket, View
from config.errors import KeyPath, Problem, did_you_mean, listed, shown
from config.known import Known

# From warm to cold.
_CLASSES: Final = tuple(MINIMUM_DAYS)
_SOURCE: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
# https://cloud.google.com/memorystore/docs/redis/read-replicas-overview
_SMALLEST_WITH_READ_REPLICAS_GIB: Final = 5
_SHORTEST_SOFT_DELETE_DAYS: Final = 7


def check_data(known: Known) -> Iterator[Problem]:
    """Check every bucket, every dataset and the cache."""
    for name, bucket in known.data.lake.items():
        yield from _check_bucket(known, ("data", "lake", name), bucket)
    for name, dataset in known.data.warehouse.items():
        yield from _check_dataset(known, ("data", "warehouse", name), dataset)
    yield from _check_dataset_names(known)
    if known.data.cache is not None:
        yield from _check_cache(known, ("data", "cache"), known.data.cache)


def _check_bucket(known: Known, path: KeyPath, bucket: LakeBucket) -> Iterator[Problem]:
    yield from check_name(known, "regions", (*path, "region"), bucket.region)
    yield from _check_key(path, bucket.kms_key, bucket.region)
    yield from check_principals(known, (*path, "readers"), bucket.readers)
    yield from check_principals(known, (*path, "writers"), bucket.writers)
    if 0 < bucket.soft_delete_days < _SHORTEST_SOFT_DELETE_DAYS:
        yield Problem(
            (*path, "soft_delete_days"),
            shown(bucket.soft_delete_days),
            f"0, or {_SHORTEST_SOFT_DELETE_DAYS} to 90",
            "change it",
        )
    yield from _check_classes(path, bucket)
    yield from _check_deletion(path, bucket)
    if bucket.versioning and bucket.retention_days is not None:
        yield Problem(
            (*path, "retention_days"),
            f"{shown(bucket.retention_days)} with versioning",
            "one of versioning and retention_days",
            "remove one: Cloud Storage keeps no old versions in a bucket with a retention policy",
        )


def _check_classes(path: KeyPath, bucket: LakeBucket) -> Iterator[Problem]:
    start = _CLASSES.index(bucket.storage_class)
    for colder, age in bucket.colder_after_days.items():
        if _CLASSES.index(colder) <= start:
            yield Problem(
                (*path, "colder_after_days", colder),
                f"a class no colder than {bucket.storage_class}, that of new objects",
                listed(_CLASSES[start + 1 :]),
                "remove it, or choose a warmer storage_class",
            )
        elif age < MINIMUM_DAYS[bucket.storage_class]:
            least = MINIMUM_DAYS[bucket.storage_class]
            yield Problem(
                (*path, "colder_after_days", colder),
                shown(age),
                f"{least} or more: {bucket.storage_class} bills each object that long",
                f"raise it to {least} or choose a warmer storage_class",
            )
    steps = sorted(bucket.colder_after_days.items(), key=lambda step: (step[1], step[0]))
    for (warmer, _), (colder, age) in pairwise(steps):
        if _CLASSES.index(colder) < _CLASSES.index(warmer):
            yield Problem(
                (*path, "colder_after_days", colder),
                shown(age),
                f"less than the age for {warmer}, which is colder",
                "exchange the ages, or remove one",
            )


def _check_deletion(path: KeyPath, bucket: LakeBucket) -> Iterator[Problem]:
    days = bucket.delete_after_days
    if days is None:
        return
    if bucket.retention_days is not None and days < bucket.retention_days:
        yield Problem(
            (*path, "delete_after_days"),
            shown(days),
            f"retention_days, {bucket.retention_days}, or more (nothing is deleted before)",
            "raise it or lower retention_days",
        )
    ages: Mapping[str, int] = {bucket.storage_class: 0, **bucket.colder_after_days}
    last = max(ages, key=lambda name: ages[name])
    least = ages[last] + MINIMUM_DAYS[last]
    if days < least:
        yield Problem(
            (*path, "delete_after_days"),
            shown(days),
            f"{least} or more: objects are {last} from day {ages[last]} on, which bills"
            f" {MINIMUM_DAYS[last]} days",
            f"raise it to {least} or end with a warmer class",
        )


def _check_key(path: KeyPath, key: str | None, region: str) -> Iterator[Problem]:
    location = key.split("/")[3] if key else region
    if location != region:
        yield Problem(
            (*path, "kms_key"),
            f"a key in {location}",
            f"a key in {region}, where the data is",
            "name one of that location: `gcloud kms keys list` shows them",
        )


def _check_dataset(known: Known, path: KeyPath, dataset: Dataset) -> Iterator[Problem]:
    yield from check_name(known, "regions", (*path, "region"), dataset.region)
    yield from _check_key(path, dataset.kms_key, dataset.region)
    for name, table in dataset.tables.items():
        where = (*path, "tables", name)
        yield from check_columns(where, table)
        yield from check_principals(known, (*where, "readers"), table.readers)
        yield from check_principals(known, (*where, "writers"), table.writers)
    for name, view in dataset.materialized_views.items():
        where = (*path, "materialized_views", name)
        if name in dataset.tables:
            yield Problem(where, "the name of a table", "a name of its own", "rename one of them")
        yield from _check_view(known, where, view, dataset.tables)
    readable = {*dataset.tables, *dataset.materialized_views}
    for name, view in dataset.views.items():
        yield from _check_view(known, (*path, "views", name), view, readable)


def _check_view(
    known: Known, path: KeyPath, view: View, readable: Collection[str]
) -> Iterator[Problem]:
    yield from check_principals(known, (*path, "readers"), view.readers)
    sources = dict.fromkeys(_SOURCE.findall(view.query))
    if not sources:
        yield Problem(
            (*path, "query"),
            "a query without a table in braces",
            f"one of {listed(readable)}",
            "write it like SELECT model FROM {predictions}",
        )
    elif (found := not_one_select(_SOURCE.sub(r"\1", view.query))) is not None:
        remedy = "write one query: a view only reads"
        yield Problem((*path, "query"), found, "one SELECT of GoogleSQL", remedy)
    for source in sources:
        if source not in readable:
            yield Problem(
                (*path, "query"),
                f"{{{source}}}",
                listed(readable),
                did_you_mean(source, readable, "add the table, or name one of them"),
            )


def _check_dataset_names(known: Known) -> Iterator[Problem]:
    """Check that nothing else has the names of the datasets of pipelines and views."""
    taken = {
        f"{name.replace('-', '_')}_results": f"pipelines.{name}"
        for name in known.names.get("pipelines", ())
    } | {
        f"{name}_views": f"data.warehouse.{name}.views"
        for name, dataset in known.data.warehouse.items()
        if dataset.views
    }
    for name in known.data.warehouse:
        if name in taken:
            yield Problem(
                ("data", "warehouse", name),
                "a name in use",
                f"another name: {taken[name]} has a dataset of this one",
                "rename it",
            )


def _check_cache(known: Known, path: KeyPath, cache: Cache) -> Iterator[Problem]:
    yield from check_name(known, "regions", (*path, "region"), cache.region)
    yield from check_principals(known, (*path, "readers"), cache.readers)
    if not cache.read_replicas:
        return
    if cache.tier == "basic":
        yield Problem(
            (*path, "read_replicas"),
            shown(cache.read_replicas),
            "0 with tier basic",
            "remove it, or set tier: standard",
        )
    elif cache.memory_gib < _SMALLEST_WITH_READ_REPLICAS_GIB:
        yield Problem(
            (*path, "memory_gib"),
            shown(cache.memory_gib),
            f"{_SMALLEST_WITH_READ_REPLICAS_GIB} to 300 with read_replicas",
            "raise it, or remove read_replicas",
        )

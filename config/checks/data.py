"""Data: ages that fit storage classes, views of tables that exist, keys nearby, sizes of tiers."""

from collections.abc import Iterator

from catalog.limits import bigquery, storage
from catalog.problems import KeyPath, Problem, below
from config.checks.principals import check_principals
from config.checks.references import check_name
from config.data import Cache, Dataset, LakeBucket
from config.known import Known


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
    yield from check_principals(known, (*path, "readers"), bucket.readers)
    yield from check_principals(known, (*path, "writers"), bucket.writers)
    yield from below(path, storage.bucket(bucket.model_dump()))
    yield from below(path, storage.key_place(bucket.kms_key, bucket.region))


def _check_dataset(known: Known, path: KeyPath, dataset: Dataset) -> Iterator[Problem]:
    yield from check_name(known, "regions", (*path, "region"), dataset.region)
    given = dataset.model_dump()
    yield from below(path, storage.key_place(dataset.kms_key, dataset.region))
    for name, table in dataset.tables.items():
        where = (*path, "tables", name)
        yield from below(where, bigquery.shape(given["tables"][name]))
        yield from check_principals(known, (*where, "readers"), table.readers)
        yield from check_principals(known, (*where, "writers"), table.writers)
    for key, views in (
        ("views", dataset.views),
        ("materialized_views", dataset.materialized_views),
    ):
        for name, view in views.items():
            yield from check_principals(known, (*path, key, name, "readers"), view.readers)
    yield from below(path, bigquery.queries(given))


def _check_dataset_names(known: Known) -> Iterator[Problem]:
    """Check that nothing else has the names of the datasets of pipelines and views."""
    taken = {"audit_logs": "audit"} if known.audit else {}
    taken |= (
        {
            f"{name.replace('-', '_')}_results": f"pipelines.{name}"
            for name in known.names.get("pipelines", ())
        }
        | {
            f"{name.replace('-', '_')}_{what}": f"training.{name}"
            for name in known.names.get("training", ())
            for what in ("training_results", "labels")
        }
        | {
            f"{name}_views": f"data.warehouse.{name}.views"
            for name, dataset in known.data.warehouse.items()
            if dataset.views
        }
    )
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
    yield from below(path, storage.cache(cache.model_dump()))

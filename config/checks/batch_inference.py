"""Batches: a model of their region, places that exist and fit, and names that nothing has."""

from collections.abc import Iterator
from typing import Final

from catalog.limits import batch_inference as limits
from catalog.limits import cloud_run
from catalog.problems import KeyPath, Problem, below, did_you_mean, joined, shown
from config.batch_inference import BatchInference, BatchOutput
from config.checks.asked_models import (
    check_key,
    check_model,
    served_models,
    variables_of_models,
)
from config.checks.containers import check_secrets, check_variables
from config.checks.references import check_name
from config.checks.service_output import check_output
from config.data import Table
from config.known import Known

_READ: Final = {"custom_id": "STRING", "prompt": "STRING"}
_TIME: Final = "TIMESTAMP"
_OWN_VARIABLES: Final = ("GOOGLE_CLOUD_PROJECT", "PREDICTIONS_TABLE")
_OWN_PREFIXES: Final = ("BATCH_", "CLOUD_RUN_")


def check_batch_inference(known: Known) -> Iterator[Problem]:
    """Check every batch."""
    for name, batch in known.batch_inference.items():
        path = ("batch_inference", name)
        yield from check_name(known, "regions", (*path, "region"), batch.region)
        given = batch.model_dump()
        for rule in (cloud_run.container, cloud_run.variables, limits.places):
            yield from below(path, rule(given))
        yield from check_secrets(known, path, batch)
        yield from check_model(known, (*path, "model"), batch.model, batch.region, "batch")
        yield from check_key(known, "batch_inference", name, batch)
        yield from _check_apart(known, path, name)
        yield from _check_objective(known, path, batch)
        own = (*_OWN_VARIABLES, *variables_of_models(known, name))
        yield from check_variables(path, batch, own, _OWN_PREFIXES)
        yield from _check_bucket(known, (*path, "input"), batch.input)
        yield from _check_bucket(known, (*path, "output"), batch.output)
        yield from _check_input_table(known, path, batch)
        yield from _check_output_table(known, path, batch)


def _check_apart(known: Known, path: KeyPath, name: str) -> Iterator[Problem]:
    asking = {key for key, pipeline in known.pipelines.items() if pipeline.models}
    for who, names in (("service", known.names.get("services", set())), ("pipeline", asking)):
        if name in names:
            yield Problem(
                path,
                f"the name {shown(name)}, which a {who} has",
                "a name of its own: API management counts both by it",
                "rename one of them",
            )


def _check_objective(known: Known, path: KeyPath, batch: BatchInference) -> Iterator[Problem]:
    model = served_models(known).get(batch.model)
    if batch.objective is None or model is None:
        return
    where = (*path, "objective")
    if not model.replica_sets:
        yield Problem(
            where,
            f"{shown(batch.objective)} with a model that has no replica sets",
            "nothing: an endpoint picker knows priorities, and no other backend",
            "remove it",
        )
    elif batch.objective not in model.objectives:
        yield Problem(
            where,
            shown(batch.objective),
            f"a key of the model's objectives: {joined(model.objectives)}",
            did_you_mean(batch.objective, model.objectives, "add it there, below zero"),
        )


def _check_bucket(known: Known, path: KeyPath, place: BatchOutput) -> Iterator[Problem]:
    buckets = known.data.lake
    if place.bucket is not None and place.bucket not in buckets and "data" not in known.unread:
        yield Problem(
            (*path, "bucket"),
            shown(place.bucket),
            f"a bucket of data.lake: {joined(buckets)}",
            did_you_mean(place.bucket, buckets, "add it there"),
        )


def _table(known: Known, path: KeyPath, name: str | None) -> Iterator[Problem | Table]:
    """Yield the table of a name, or what is wrong with the name."""
    if name is None or "data" in known.unread:
        return
    tables = known.data.tables
    if name in tables:
        yield tables[name]
    else:
        yield Problem(
            (*path, "table"),
            shown(name),
            f"a table of data.warehouse: {joined(tables)}",
            did_you_mean(name, tables, "add it there"),
        )


def _fields(name: str) -> KeyPath:
    dataset, _, table = name.partition(".")
    return ("data", "warehouse", dataset, "tables", table, "fields")


def _check_input_table(known: Known, path: KeyPath, batch: BatchInference) -> Iterator[Problem]:
    name = batch.input.table
    for found in _table(known, (*path, "input"), name):
        if isinstance(found, Problem):
            yield found
            continue
        there = {each.name: each.type for each in found.fields if each.mode != "REPEATED"}
        wanted = {**_READ, found.partition_field: _TIME}
        if not wanted.items() <= there.items():
            yield Problem(
                _fields(name or ""),
                joined(there),
                f"with {', '.join(f'{key} {kind}' for key, kind in wanted.items())}, which "
                f"batch_inference.{path[1]} reads",
                "add them",
            )


def _check_output_table(known: Known, path: KeyPath, batch: BatchInference) -> Iterator[Problem]:
    name = batch.output.table
    for found in _table(known, (*path, "output"), name):
        if isinstance(found, Problem):
            yield found
            continue
        yield from check_output(_fields(name or ""), batch.image_name, found.fields)

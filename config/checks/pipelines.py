"""Pipelines: times, sizes and columns that fit together."""

from collections.abc import Iterator

from catalog.limits import bigquery, cloud_run, pubsub
from catalog.problems import KeyPath, Problem, below, did_you_mean, joined, shown
from config.checks.asked_models import check_key, check_models, variables_of_models
from config.checks.containers import check_secrets, check_variables
from config.checks.principals import check_principals
from config.checks.references import check_name
from config.checks.service_input import check_input
from config.checks.service_output import check_output
from config.fields import Settings
from config.known import Known
from config.pipelines import Pipeline


def check_pipelines(known: Known) -> Iterator[Problem]:
    """Check every pipeline."""
    for name, pipeline in known.pipelines.items():
        path = ("pipelines", name)
        given = pipeline.model_dump()
        yield from check_name(known, "regions", (*path, "region"), pipeline.region)
        for rule in (cloud_run.container, cloud_run.variables):
            yield from below(path, rule(given))
        yield from check_secrets(known, path, pipeline)
        yield from check_models(known, path, pipeline.models, pipeline.region, "pipeline")
        if pipeline.models:
            yield from check_key(known, "pipelines", name, pipeline)
            yield from check_variables(path, pipeline, variables_of_models(known, name))
        for key, principals in pipeline.granted.items():
            yield from check_principals(known, (*path, *key), principals)
        yield from below(path, pubsub.pipeline(given))
        yield from below((*path, "results"), bigquery.shape(given["results"]))
        yield from _check_existing(path, pipeline)
        yield from _check_topic_of(known, path, name, pipeline)
        yield from check_input(path, pipeline)
        yield from check_output(
            (*path, "results", "fields"), pipeline.image_name, pipeline.results.fields
        )


def _check_existing(path: KeyPath, pipeline: Pipeline) -> Iterator[Problem]:
    """Check that nothing is asked of what is there that its owner decides."""
    owned: list[tuple[str, object, tuple[tuple[str, ...], ...]]] = [
        ("topic", pipeline.existing.topic, (("publishers",), ("message_schema",))),
        (
            "archive_bucket",
            pipeline.existing.archive_bucket,
            (("archive", "storage_class"), ("archive", "retention_days"), ("archive", "readers")),
        ),
    ]
    for what, name, keys in owned:
        for key in keys if name is not None else ():
            if _given(pipeline, key):
                yield Problem(
                    (*path, *key),
                    f"a setting of a {what.rpartition('_')[2]} that is made, beside {shown(name)}",
                    "what its owner has set",
                    f"remove it, or remove existing.{what}",
                )
    if pipeline.existing.archive_bucket is not None and pipeline.archive is None:
        yield Problem(
            (*path, "existing", "archive_bucket"),
            f"{shown(pipeline.existing.archive_bucket)} without archive",
            "a bucket that messages go to",
            "add archive: {}, or remove this",
        )


def _check_topic_of(
    known: Known, path: KeyPath, name: str, pipeline: Pipeline
) -> Iterator[Problem]:
    """Check that the topic is another pipeline's own, which says what there is to say of it."""
    if pipeline.topic_of is None:
        return
    others = {
        key: each
        for key, each in known.pipelines.items()
        if key != name and each.topic_of is None and each.existing.topic is None
    }
    if pipeline.topic_of not in others and pipeline.topic_of not in (
        known.names.get("pipelines", set()) - known.pipelines.keys()
    ):
        yield Problem(
            (*path, "topic_of"),
            shown(pipeline.topic_of),
            f"another pipeline with a topic of its own: {joined(others)}",
            did_you_mean(pipeline.topic_of, others, "name one, or remove this"),
        )
    for key in (("publishers",), ("message_schema",), ("existing", "topic")):
        if _given(pipeline, key):
            yield Problem(
                (*path, *key),
                "a setting of a topic, beside topic_of",
                f"what pipelines.{pipeline.topic_of} says",
                "remove it, or remove topic_of",
            )


def _given(settings: Settings, key: tuple[str, ...]) -> bool:
    """Return whether a key stands in the file."""
    first, *rest = key
    if first not in settings.model_fields_set:
        return False
    value = getattr(settings, first)
    return _given(value, tuple(rest)) if rest and isinstance(value, Settings) else not rest

"""What there is to watch of a pipeline, by the names PubSubCloudRunPipeline gives its parts."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, NotRequired, TypedDict

from catalog.limits import Choice, Entries
from catalog.limits.pubsub import RETENTION_DAYS
from components.operations.matchers import NAME, matcher

SINKS: Final = ("pull", "messages", "archive", "dataflow")
"""What a pipeline may have beside its service; each has a subscription `<pipeline>-<copy>`."""

# Matcher: its label, and the parts of a pipeline whose names it has.
_PARTS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "pushing": ("subscription_id", ("push",)),
    "fetched": ("subscription_id", ("pull", "dataflow")),
    "exports": ("subscription_id", ("messages", "archive")),
    "sinks": ("subscription_id", ("messages", "archive", "dataflow")),
    "delivered": ("subscription_id", ("push", "messages", "archive")),
    "forwarding": ("subscription_id", ("push", "pull", "messages", "dataflow")),
    "dead_letters": ("subscription_id", ("dead-letter",)),
    "subscriptions": ("subscription_id", ("push", *SINKS, "dead-letter")),
    "jobs": ("job_name", ("dataflow",)),
    "services": ("service_name", ("service",)),
}
_ALWAYS: Final = ("push", "dead-letter", "service")


class WatchedPipeline(TypedDict):
    """What a pipeline has."""

    sinks: NotRequired[Sequence[Annotated[str, Choice(SINKS)]]]
    """Who else takes its messages: pull, messages, archive or dataflow; default none."""
    retention_days: NotRequired[Annotated[int, RETENTION_DAYS]]
    """How long its messages wait in Pub/Sub."""


Pipelines = Annotated[
    Mapping[Annotated[str, NAME], WatchedPipeline], Entries("the name of a pipeline")
]


def pipeline_matchers(pipelines: Mapping[str, WatchedPipeline]) -> Mapping[str, str]:
    """Return the matchers of the queries about pipelines; none for what no pipeline has."""
    return {
        key: matcher(label, names)
        for key, (label, parts) in _PARTS.items()
        if (names := [f"{name}-{part}" for name, part in _parts(pipelines) if part in parts])
    }


def _parts(pipelines: Mapping[str, WatchedPipeline]) -> Sequence[tuple[str, str]]:
    return [
        (name, part)
        for name, pipeline in pipelines.items()
        for part in (*_ALWAYS, *pipeline.get("sinks", ()))
    ]


def by_retention(
    pipelines: Mapping[str, WatchedPipeline],
) -> Mapping[int, Mapping[str, WatchedPipeline]]:
    """Return the pipelines by how long their messages wait, in days."""
    groups: dict[int, dict[str, WatchedPipeline]] = {}
    for name, pipeline in pipelines.items():
        days = pipeline.get("retention_days", RETENTION_DAYS.default)
        groups.setdefault(days, {})[name] = pipeline
    return groups

"""Training: a pipeline that there is, whose results can be read, and names that nothing has."""

from collections.abc import Iterator

from catalog.limits import bigquery
from catalog.problems import Problem, joined, shown
from config.checks.principals import check_principals
from config.checks.references import check_name
from config.known import Known
from config.training import training_name

_READ = {"message_id", "processed_at", "model", "output"}


def check_training(known: Known) -> Iterator[Problem]:
    """Check every loop."""
    for name, training in known.training.items():
        path = ("training", name)
        yield from check_name(known, "pipelines", path, name)
        yield from check_principals(known, (*path, "labellers"), training.labellers)
        if training_name(name) in known.names.get("pipelines", ()):
            yield Problem(
                path,
                f"the pipeline {shown(training_name(name))}",
                "no pipeline of that name: the loop's own topic and service have it",
                "rename the pipeline",
            )
        pipeline = known.pipelines.get(name)
        if pipeline is None:
            continue
        wanted = {each["name"]: each["type"] for each in bigquery.RESULTS if each["name"] in _READ}
        there = {each.name: each.type for each in pipeline.results.fields}
        if not wanted.items() <= there.items():
            yield Problem(
                ("pipelines", name, "results", "fields"),
                joined(there),
                f"with {', '.join(f'{key} {kind}' for key, kind in wanted.items())}, which "
                f"training.{name} reads",
                "add them, or leave fields out",
            )

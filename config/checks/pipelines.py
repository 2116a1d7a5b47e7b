"""Pipelines: times, sizes and columns that fit together."""

from collections.abc import Iterator

from catalog.limits import bigquery, cloud_run, pubsub
from catalog.problems import Problem, below
from config.checks.containers import check_secrets
from config.checks.principals import check_principals
from config.checks.references import check_name
from config.checks.service_input import check_input
from config.checks.service_output import check_output
from config.known import Known


def check_pipelines(known: Known) -> Iterator[Problem]:
    """Check every pipeline."""
    for name, pipeline in known.pipelines.items():
        path = ("pipelines", name)
        given = pipeline.model_dump()
        yield from check_name(known, "regions", (*path, "region"), pipeline.region)
        for rule in (cloud_run.container, cloud_run.variables):
            yield from below(path, rule(given))
        yield from check_secrets(known, path, pipeline)
        for key, principals in pipeline.granted.items():
            yield from check_principals(known, (*path, *key), principals)
        yield from below(path, pubsub.pipeline(given))
        yield from below((*path, "results"), bigquery.shape(given["results"]))
        yield from check_input(path, pipeline)
        yield from check_output(
            (*path, "results", "fields"), pipeline.image_name, pipeline.results.fields
        )

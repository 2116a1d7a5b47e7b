"""The training pipeline of services/sentiment_trainer, as Vertex AI runs it.

    .engine/kfp/bin/python tools/pip/kfp/sentiment_training.py FILE

Each step is a container of the trainer's own image, which a run names: so what is compiled has the
image's short name. Vertex AI keeps what a step makes of what in its metadata, which is the lineage.
"""

import sys

from kfp import compiler, dsl

_IMAGE = "sentiment-trainer"
_COMMAND = ["/usr/bin/python3", "-m", "services.sentiment_trainer.steps"]


def _step(name: str, **options: object) -> dsl.ContainerSpec:
    given = [part for key, value in options.items() for part in (f"--{key}", value)]
    return dsl.ContainerSpec(image=_IMAGE, command=_COMMAND, args=[name, *given])


@dsl.container_component
def collect(project: str, labels: str, days: str, least: str, dataset: dsl.Output[dsl.Dataset]):
    """Read what people labelled, check it, and keep it with the base."""
    return _step(
        "collect", project=project, labels=labels, days=days, least=least, dataset=dataset.uri
    )


@dsl.container_component
def train(dataset: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Model]):
    """Train a model."""
    return _step("train", dataset=dataset.uri, model=model.uri)


@dsl.container_component
def evaluate(
    bucket: str,
    dataset: dsl.Input[dsl.Dataset],
    model: dsl.Input[dsl.Model],
    evaluation: dsl.Output[dsl.Metrics],
):
    """Measure the model beside the serving version, and decide."""
    return _step(
        "evaluate", bucket=bucket, dataset=dataset.uri, model=model.uri, evaluation=evaluation.uri
    )


@dsl.container_component
def release(
    project: str,
    region: str,
    registry: str,
    image: str,
    bucket: str,
    run: str,
    percent: str,
    dataset: dsl.Input[dsl.Dataset],
    model: dsl.Input[dsl.Model],
    evaluation: dsl.Input[dsl.Metrics],
):
    """Register an accepted version and give it its share of the messages."""
    return _step(
        "release",
        project=project,
        region=region,
        registry=registry,
        image=image,
        bucket=bucket,
        run=run,
        percent=percent,
        dataset=dataset.uri,
        model=model.uri,
        evaluation=evaluation.uri,
    )


@dsl.pipeline(
    name="sentiment-training", description="Trains the next version of the sentiment model"
)
def sentiment_training(
    project: str,
    region: str,
    registry: str,
    image: str,
    bucket: str,
    run: str,
    labels: str,
    days: str,
    least: str,
    percent: str,
):
    """Collect, train, evaluate, release."""
    collected = collect(project=project, labels=labels, days=days, least=least)
    dataset = collected.outputs["dataset"]
    model = train(dataset=dataset).outputs["model"]
    measured = evaluate(bucket=bucket, dataset=dataset, model=model)
    released = release(
        project=project,
        region=region,
        registry=registry,
        image=image,
        bucket=bucket,
        run=run,
        percent=percent,
        dataset=dataset,
        model=model,
        evaluation=measured.outputs["evaluation"],
    )
    # What these see is not in their inputs: rows and what is released.
    for task in (collected, measured, released):
        task.set_caching_options(False)


if __name__ == "__main__":
    compiler.Compiler().compile(sentiment_training, sys.argv[1])

"""Steps of the training pipeline; pipeline.yaml says which comes after which.

    python -m services.sentiment_trainer.steps train --dataset gs://... --model gs://...

What a step makes is an object whose address it is given; so is what it reads.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from services.common.bigquery import BigQuery
from services.common.google_rest import GoogleError, GoogleRest
from services.common.objects import Objects
from services.sentiment_analyzer.evaluation import reviews
from services.sentiment_analyzer.learned import (
    LearnedClassifier,
    ModelError,
    digest_of,
    version_of,
)
from services.sentiment_analyzer.model import Classifier
from services.sentiment_analyzer.releases import Canary, Releases, model_name
from services.sentiment_trainer import dataset as datasets
from services.sentiment_trainer.drift import profile_on
from services.sentiment_trainer.gate import LEAST_FRESH, Evaluation, evaluate
from services.sentiment_trainer.store import Card, Store
from services.sentiment_trainer.training import train
from services.sentiment_trainer.vertex import Vertex

_CANARY = "canary"


class Steps:
    """The steps, each a method whose arguments are its options."""

    def __init__(self) -> None:
        # As of the services: see services/sentiment_trainer/settings.py.
        self._google = GoogleRest(os.environ.get("GOOGLE_APIS_ENDPOINT", ""))

    def collect(self, project: str, labels: str, days: str, least: str, dataset: str) -> None:
        """Read what people labelled, check it, and keep it with the base as the dataset."""
        query = f"SELECT text, label FROM `{labels}` WHERE labelled_at >= @since"  # noqa: S608
        since = datetime.now(UTC) - timedelta(days=int(days))
        rows = BigQuery(self._google, project).rows(query, since)
        found = datasets.collect(rows, int(least))
        self._write(dataset, datasets.written(found))
        print(f"{len(found.base)} examples of the base, {len(found.fresh)} labelled")

    def train(self, dataset: str, model: str) -> None:
        """Train a model on the dataset."""
        examples = datasets.read(self._read(dataset)).training
        document = train(examples, Classifier())
        self._write(model, document)
        print(f"{version_of(digest_of(document))}: trained on {len(examples)} examples")

    def evaluate(self, bucket: str, dataset: str, model: str, evaluation: str) -> None:
        """Measure the model beside the serving version, and decide."""
        store = Store(Objects(self._google, bucket))
        found = evaluate(
            LearnedClassifier(self._read(model), Classifier()),
            store.classifier(store.releases().serving),
            datasets.read(self._read(dataset)),
        )
        self._write(evaluation, found.model_dump_json(indent=1).encode())
        print(
            f"{'accepted' if found.accepted else 'refused'}: {found.why}; accuracy on reviews "
            f"{_shown(found.reviews)}; on {found.held_out} fresh labels {_shown(found.fresh)}"
        )

    def release(
        self,
        project: str,
        region: str,
        registry: str,
        image: str,
        bucket: str,
        run: str,
        percent: str,
        dataset: str,
        model: str,
        evaluation: str,
    ) -> None:
        """Register an accepted version and give it its share of messages; end the run."""
        found = Evaluation.model_validate_json(self._read(evaluation))
        store = Store(Objects(self._google, bucket))
        if not found.accepted:
            store.change(lambda releases: _ended(releases, run))
            print(f"not released: {found.why}")
            return
        document = self._read(model)
        card = _card(document, self._read(dataset), found, run)
        store.register(document, card)
        card.registered = Vertex(self._google, project, region).register(
            registry,
            artifactUri=f"gs://{bucket}/{model_name(card.digest).rpartition('/')[0]}",
            containerSpec={"imageUri": image},
            versionDescription=f"{card.version}: {found.why}; on reviews {_shown(found.reviews)}; "
            f"on fresh labels {_shown(found.fresh)}",
            versionAliases=[_CANARY],
            labels={"version": card.version, "run": run},
        )
        store.register(document, card)
        since, share = datetime.now(UTC), int(percent)
        canary = Canary(digest=card.digest, since=since, percent=share)
        store.change(lambda releases: _ended(releases, run).model_copy(update={_CANARY: canary}))
        print(f"{card.version}: {percent} percent of the messages")

    def _read(self, address: str) -> bytes:
        bucket, name = _parts(address)
        found = Objects(self._google, bucket).read(name)
        if found is None:
            raise datasets.DatasetError(f"found no {address}: has the step before run?")
        return found.content

    def _write(self, address: str, content: bytes) -> None:
        bucket, name = _parts(address)
        Objects(self._google, bucket).write(name, content)


def _shown(measured: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {share:.3f}" for name, share in measured.items()) or "not measured"


def _parts(address: str) -> tuple[str, str]:
    bucket, _, name = address.removeprefix("gs://").partition("/")
    return bucket, name


def _ended(releases: Releases, run: str) -> Releases:
    """Return the releases without the run under way, if it is this one."""
    going = releases.run is not None and releases.run.id == run
    return releases.model_copy(update={"run": None}) if going else releases


def _card(document: bytes, dataset: bytes, evaluation: Evaluation, run: str) -> Card:
    found, digest = datasets.read(dataset), digest_of(document)
    held_out = [each.text for each in found.held_out]
    texts = held_out if len(held_out) >= LEAST_FRESH else [text for _, text in reviews()]
    return Card(
        version=version_of(digest),
        digest=digest,
        made_at=datetime.now(UTC),
        run=run,
        dataset=digest_of(dataset),
        examples={"base": len(found.base), "fresh": len(found.training) - len(found.base)},
        evaluation=evaluation,
        profile=profile_on(LearnedClassifier(document, Classifier()), texts),
    )


OPTIONS: Mapping[str, Sequence[str]] = {
    name: list(getattr(Steps, name).__annotations__)[:-1]
    for name in ("collect", "train", "evaluate", "release")
}
"""The options of each step."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a step; return the exit code, 1 with a line that says why where it can't be done."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    steps = parser.add_subparsers(dest="step", required=True)
    for name, options in OPTIONS.items():
        step = steps.add_parser(name, help=getattr(Steps, name).__doc__, allow_abbrev=False)
        for option in options:
            step.add_argument(f"--{option}", required=True)
    given = vars(parser.parse_args(arguments))
    step = getattr(Steps(), given.pop("step"))
    try:
        step(**given)
    except (datasets.DatasetError, GoogleError, ModelError) as problem:
        print(f"{step.__name__}: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

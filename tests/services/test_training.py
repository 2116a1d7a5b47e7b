"""The training of the sentiment model: its data, its gate, and the pipeline that kfp compiles."""

import importlib
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.common.google_rest import GoogleRest
from services.common.hashes import in_share
from services.common.objects import ChangedError, Object, Objects
from services.sentiment_analyzer.evaluation import measure
from services.sentiment_analyzer.learned import LearnedClassifier, ModelError
from services.sentiment_analyzer.model import Classifier
from services.sentiment_analyzer.releases import RELEASES, Versions, model_name
from services.sentiment_trainer.dataset import Dataset, DatasetError, collect, read, written
from services.sentiment_trainer.drift import drift, profile_of
from services.sentiment_trainer.gate import evaluate
from services.sentiment_trainer.steps import OPTIONS
from services.sentiment_trainer.training import train
from tests.services.harness import ROOT, SERVICES

KFP = ROOT / ".engine" / "kfp" / "bin" / "python"
WORDS = ("parcel", "courier", "driver", "van", "depot", "box", "label", "gate", "street", "map")


def labelled(count: int, saying: str = "mint", label: str = "positive") -> list[dict[str, str]]:
    """Return labelled rows in which a word says something that VADER doesn't know."""
    other = {"positive": "binned", "negative": "mint"}[label]
    opposite = {"positive": "negative", "negative": "positive"}[label]
    return [
        {
            "text": f"{WORDS[n % 10]} number {n} is {saying if n % 2 else other}",
            "label": label if n % 2 else opposite,
        }
        for n in range(count)
    ]


def trained(dataset: Dataset) -> LearnedClassifier:
    return LearnedClassifier(train(dataset.training, Classifier()), Classifier())


@pytest.fixture(scope="module")
def first() -> LearnedClassifier:
    return trained(collect([], 0))


@pytest.fixture(scope="module")
def taught() -> Dataset:
    return collect(labelled(200), 50)


@pytest.fixture(scope="module")
def better(taught: Dataset) -> LearnedClassifier:
    return trained(taught)


def test_the_readme_says_how_much_better_the_learned_model_is(first: LearnedClassifier):
    accuracy, before = measure(first)["accuracy"], measure(Classifier())["accuracy"]
    assert accuracy > before + 0.1
    readme = (SERVICES / "sentiment_trainer" / "README.md").read_text()
    assert f"| accuracy | {accuracy:.3f} |" in readme


def test_nothing_is_trained_on_what_is_measured_by():
    from services.sentiment_analyzer.evaluation import reviews

    measured = {text for _, text in reviews()}
    leaked = [{"text": text, "label": "positive"} for text in sorted(measured)[:40]]
    dataset = collect([*leaked, *labelled(100)], 50)
    assert not measured & {each.text for each in dataset.training}
    assert not {each.text for each in dataset.held_out} & {each.text for each in dataset.training}
    assert len(dataset.held_out) > 15
    assert read(written(dataset)) == dataset


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (labelled(20), "found 20 labelled texts, allowed: at least 50; label more messages"),
        ([*labelled(60), {"text": "good", "label": "great"}], "1 of 61 labelled rows .* 'great'"),
        ([*labelled(60), {"text": " ", "label": "neutral"}], "1 of 61 labelled rows have no text"),
        (
            [{"text": f"fine {n}", "label": "positive"} for n in range(60)],
            "nearly all of one label",
        ),
    ],
)
def test_data_that_nothing_can_be_trained_on_is_refused(
    rows: Sequence[Mapping[str, str]], problem: str
):
    with pytest.raises(DatasetError, match=problem):
        collect(rows, 50)


def test_texts_that_people_label_differently_are_left_out():
    again = [{"text": row["text"], "label": "neutral"} for row in labelled(10)]
    assert len(collect([*labelled(100), *again], 50).fresh) == 90


def test_the_same_examples_give_the_same_version():
    few = Dataset(collect([], 0).base[:300], [])
    assert trained(few).digest == trained(few).digest


def test_a_version_that_learned_what_people_say_passes_the_gate(
    first: LearnedClassifier, better: LearnedClassifier, taught: Dataset
):
    found = evaluate(better, first, taught)
    assert found.accepted
    assert found.fresh["candidate"] > 0.9 > 0.6 > found.fresh["serving"]
    assert found.reviews["candidate"] > found.reviews["serving"] - 0.02


def test_a_version_that_is_worse_or_the_same_is_refused(
    first: LearnedClassifier, better: LearnedClassifier, taught: Dataset
):
    assert "allowed: more than" in evaluate(better, better, taught).why
    worse = evaluate(first, better, taught)
    assert not worse.accepted
    assert worse.why.startswith("accuracy on fresh labels")
    flat = [each._replace(label="neutral") for each in taught.base[:300]]
    assert "accuracy on reviews" in evaluate(trained(Dataset(flat, [])), first, taught).why


def test_what_is_no_model_is_refused():
    for document in (b"", b"[]", b'{"format": "other", "weights": {}}', b'{"weights": {}}'):
        with pytest.raises(ModelError):
            LearnedClassifier(document, Classifier())


def test_drift_is_none_of_the_same_and_much_of_another():
    usual = profile_of([("positive", 0.9), ("negative", 0.8), ("neutral", 0.95)] * 50)
    assert max(drift(usual, usual).values()) == 0
    found = drift(usual, profile_of([("neutral", 0.4)] * 100))
    assert min(found.values()) > 1


class Memory(Objects):
    """A bucket in memory."""

    def __init__(self) -> None:
        super().__init__(GoogleRest("http://127.0.0.1:1"), "bucket")
        self.contents: dict[str, Object] = {}

    def read(self, name: str) -> Object | None:
        return self.contents.get(name)

    def write(self, name: str, content: bytes, generation: int | None = None) -> None:
        now = self.contents[name].generation if name in self.contents else 0
        if generation not in (None, now):
            raise ChangedError(name)
        self.contents[name] = Object(content, now + 1)


def test_a_canary_gets_its_share_and_every_message_one_version():
    document = train(collect([], 0).base[:300], Classifier())
    first = LearnedClassifier(document, Classifier())
    bucket = Memory()
    bucket.write(model_name(first.digest), document)
    canary = f'{{"digest": "{first.digest}", "since": "2026-01-01T00:00:00Z", "percent": 10}}'
    bucket.write(RELEASES, f'{{"canary": {canary}}}'.encode())
    versions = Versions(bucket, 0.001)
    versions.refresh()
    keys = [f"message-{n}" for n in range(1000)]
    chosen = [versions.of(key).version for key in keys]
    assert 60 < chosen.count(first.version) < 140
    assert chosen == [versions.of(key).version for key in keys]
    assert {key for key in keys if in_share(key, 10)} < {k for k in keys if in_share(k, 20)}


def test_a_model_that_is_not_what_was_registered_is_not_used(first: LearnedClassifier):
    bucket = Memory()
    bucket.write(model_name(first.digest), b'{"format": "sentiment-words-1", "weights": {}}')
    serving = f'{{"digest": "{first.digest}", "since": "2026-01-01T00:00:00Z"}}'
    bucket.write(RELEASES, f'{{"serving": {serving}}}'.encode())
    versions = Versions(bucket, 60)
    versions.refresh()
    assert versions.of("key").version.startswith("vader")


def pipeline() -> dict[str, Any]:
    return yaml.safe_load((SERVICES / "sentiment_trainer" / "pipeline.yaml").read_text())


def test_the_compiled_steps_have_the_options_that_the_program_takes():
    executors = pipeline()["deploymentSpec"]["executors"]
    assert {f"exec-{name}" for name in OPTIONS} == executors.keys()
    for name, options in OPTIONS.items():
        container = executors[f"exec-{name}"]["container"]
        module = importlib.import_module(container["command"][2])
        assert callable(module.main)
        step, *given = container["args"]
        assert step == name
        assert sorted(given[::2]) == sorted(f"--{option}" for option in options)


def test_the_compiled_pipeline_hands_each_step_what_another_made():
    compiled = pipeline()
    tasks = compiled["root"]["dag"]["tasks"]
    declared = compiled["root"]["inputDefinitions"]["parameters"].keys()
    used: set[str] = set()
    for name, task in tasks.items():
        component = compiled["components"][task["componentRef"]["name"]]
        wanted, given = component["inputDefinitions"], task["inputs"]
        for kind in ("parameters", "artifacts"):
            assert wanted.get(kind, {}).keys() == given.get(kind, {}).keys()
        used |= {each["componentInputParameter"] for each in given.get("parameters", {}).values()}
        for each in given.get("artifacts", {}).values():
            source = each["taskOutputArtifact"]
            assert source["producerTask"] in task["dependentTasks"]
            producer = tasks[source["producerTask"]]["componentRef"]["name"]
            made = compiled["components"][producer]["outputDefinitions"]["artifacts"]
            assert source["outputArtifactKey"] in made, name
    assert used == declared


@pytest.mark.skipif(not KFP.exists(), reason="no kfp: python3 tools/vertex_pipelines.py")
def test_the_compiled_pipeline_is_what_kfp_makes_now(tmp_path: Path):
    source, made = ROOT / "tools/pip/kfp/sentiment_training.py", tmp_path / "pipeline.yaml"
    subprocess.run([KFP, source, made], check=True, capture_output=True)
    assert yaml.safe_load(made.read_text()) == pipeline(), f"run {KFP} {source} on it again"

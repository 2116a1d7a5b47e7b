"""The loop of a model at work: a stream that drifts, one run, a canary that is better, one that is
worse.

People and schedules are played: what they would publish or write is published and written here. All
that follows is done by the services, the pipeline's steps and the alerts themselves.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, cast

import yaml

from catalog.words import plural
from emulator.demo.checks import Check
from emulator.demo.pipelines import Pipeline
from emulator.google.objects import StoredObject
from emulator.messages.publishing import Draft
from emulator.runtime.emulator import Emulator, RunningService
from emulator.runtime.log_alerts import LogAlerts
from emulator.warehouse.store import table_id
from services.sentiment_analyzer.evaluation import reviews
from services.sentiment_analyzer.releases import RELEASES, Releases

FOLDER = "sentiment_trainer"
_JOB = "gcp:cloudscheduler/job:Job"
_USUAL, _DRIFTING, _CONFUSED, _ALERTS = 100, 120, 1200, 10
_LOOK_SECONDS = 0.1
_REFRESHED_SECONDS = 5.5
"""After which every instance of the analyzer has looked what is released."""
_DETAILS = ("messages", "drift", "allowed", "accuracy", "why")
_OPPOSITE = {"positive": "negative", "negative": "positive", "neutral": "neutral"}

Tell = Callable[[str], None]


class Message(NamedTuple):
    """A text, and what people say of it."""

    text: str
    label: str


@dataclass
class Loop:
    """A trainer with the pipeline that it watches."""

    emulator: Emulator
    trainer: RunningService
    watched: Pipeline
    tell: Tell
    alerts: LogAlerts
    random: Random = field(default_factory=lambda: Random(2014))  # noqa: S311 -- always the same

    @property
    def name(self) -> str:
        """The trainer's name."""
        return self.trainer.service.name

    def _of(self, variable: str) -> str:
        return self.trainer.service.environment[variable].partition("://")[2]

    @property
    def bucket(self) -> str:
        """Of the versions."""
        return self._of("MODEL_STORE")

    @property
    def labels(self) -> str:
        """Id of the table of labels."""
        return table_id(self._of("LABELS_TABLE"))

    @property
    def topic(self) -> str:
        """What the trainer is told by."""
        return self.trainer.service.environment["PUBSUB_TOPIC"]

    @property
    def releases(self) -> Releases:
        """What is released."""
        found: StoredObject | None = self.emulator.objects.read(self.bucket, RELEASES)
        return Releases() if found is None else Releases.model_validate_json(found.content)

    @property
    def serving(self) -> str:
        """Version that serves; empty for VADER."""
        return self.releases.serving.version if self.releases.serving else ""

    def findings(self) -> Sequence[Mapping[str, Any]]:
        """Return what the trainer has found and done, the first first."""
        table = table_id(self.trainer.service.environment["RESULTS_TABLE"])
        rows = self.emulator.warehouse.rows(table)
        return [{"asked": row["input"], **row["output"]} for row in rows]

    async def begin(self) -> None:
        """Take away what an earlier demo left."""
        emulator, results = self.emulator, self.watched.results
        if self.releases != Releases():
            emulator.objects.remove(self.bucket, RELEASES)
            await self.refreshed()
        emulator.warehouse.remove(self.labels)
        rows = self.watched.rows(emulator)
        emulator.warehouse.remove(results)
        emulator.warehouse.append(results, rows)

    async def look(self) -> Mapping[str, Any]:
        """Have the schedule's check done; return what was found."""
        for job in self.emulator.world.by_type(_JOB):
            target = job.inputs.get("pubsubTarget")
            if (
                target
                and target["topicName"] == self.topic
                and target["attributes"]["action"] == "check"
            ):
                await self.publish(Draft(b"", target["attributes"]))
        return self.findings()[-1]

    async def publish(self, *drafts: Draft) -> None:
        """Publish to the trainer, and wait until all is handled."""
        self.emulator.broker.publish(self.topic, list(drafts))
        await self._settled()

    async def stream(self, messages: Sequence[Message]) -> Mapping[str, Message]:
        """Publish to the watched pipeline; return the messages by id once all are classified."""
        drafts = [Draft(each.text.encode(), {}) for each in messages]
        ids = self.emulator.broker.publish(self.watched.topic.id, drafts)
        await self._settled()
        return dict(zip(ids, messages, strict=True))

    def label(self, messages: Mapping[str, Message]) -> None:
        """Write what people say of messages, as a labeller would."""
        now = datetime.now(UTC).isoformat()
        rows = [
            {"message_id": id_, "text": each.text, "label": each.label, "labelled_at": now}
            for id_, each in messages.items()
        ]
        self.emulator.warehouse.append(self.labels, rows)

    def drifting(self, count: int) -> Sequence[Message]:
        """Return messages of a kind that was not there before."""
        said = yaml.safe_load(Path(__file__).with_name("drift.yaml").read_text())
        return [
            Message(f"{self.random.choice(says).format(thing=thing)}, order {number}", label)
            for label, says, thing, number in self._drawn(said, count)
        ]

    def _drawn(
        self, said: Mapping[str, Any], count: int
    ) -> Iterator[tuple[str, Sequence[str], str, int]]:
        for _ in range(count):
            label = self.random.choice(list(said["says"]))
            thing = self.random.choice(said["things"])
            yield label, said["says"][label], thing, self.random.randrange(10**9)

    async def refreshed(self) -> None:
        """Wait until every instance of the analyzer has seen what is released."""
        await asyncio.sleep(_REFRESHED_SECONDS)

    async def _settled(self) -> None:
        self.emulator.deliveries.wake()
        while not self.emulator.deliveries.settled():
            await asyncio.sleep(_LOOK_SECONDS)


def loops(emulator: Emulator, done: Sequence[Pipeline], tell: Tell) -> Sequence[Loop]:
    """Return the loops whose trainer and pipeline run here and take plain messages."""
    return [
        Loop(
            emulator,
            trainer,
            watched,
            tell,
            LogAlerts(
                emulator.world, emulator.broker, emulator.home / "instances", emulator.clock.now
            ),
        )
        for trainer in emulator.hosted
        if trainer.folder == FOLDER
        for watched in done
        if table_id(trainer.service.environment["WATCHED_TABLE"].partition("://")[2])
        == watched.results
        and watched.topic.schema is None
    ]


async def play(loop: Loop) -> Sequence[Check]:
    """Play the loop from its beginning; return what must be true of it."""
    name = loop.name
    await loop.begin()
    begun = len(loop.findings())
    loop.tell(f"\n{name}: watches {loop.watched.name}, whose model is VADER at first")

    usual = loop.random.sample([Message(text, label) for label, text in reviews()], _USUAL)
    await loop.stream(usual)
    steady = await _told(loop, f"{plural(_USUAL, 'review')}")
    loop.label(await loop.stream(loop.drifting(_DRIFTING)))
    drifted = await _told(loop, f"{plural(_DRIFTING, 'message')} about parcels, labelled")
    checks = [
        Check(name, "found in the usual stream", steady["event"], "steady"),
        Check(name, "found in the drifting stream", drifted["event"], "drift"),
        *await _one_run(loop),
    ]
    first = loop.releases.canary
    checks.append(Check(name, "canary of the first run", bool(first), True))
    if first is None:
        return checks

    await loop.refreshed()
    seen = await loop.stream(loop.drifting(_DRIFTING))
    shares = _shares(loop, seen)
    loop.tell(f"  answered by: {_plain(shares)}")
    waiting = await _told(loop, "without labels")
    loop.label(seen)
    promoted = await _told(loop, f"with {plural(len(seen), 'label')}")
    checks += [
        Check(name, "versions that answered beside the canary", len(shares), 2),
        Check(name, "done without labels", waiting["event"], "waiting"),
        Check(name, "done with labels", promoted["event"], "promoted"),
        Check(name, "serves", loop.serving, first.version),
        Check(name, "named default in the Model Registry", _default(loop), first.version),
    ]
    checks += await _rolled_back(loop, first.version)
    checks.append(
        Check(name, "times looked at, and asked to train", len(loop.findings()) - begun, 16)
    )
    return checks


async def _one_run(loop: Loop) -> Sequence[Check]:
    """Have the alert fire, and then many at once: one run begins."""
    matched = loop.alerts.tell()
    await loop.publish()
    incident = json.dumps({"incident": {"state": "open"}, "version": "1.2"}).encode()
    await loop.publish(*[Draft(incident, {}) for _ in range(_ALERTS - 1)])
    asked = [each for each in loop.findings() if each["asked"] == "alert"][-_ALERTS:]
    events = Counter(str(each["event"]) for each in asked)
    loop.tell(f"  {plural(_ALERTS, 'alert')}: {_plain(events)}")
    await _trained(loop)
    return [
        Check(loop.name, "policies that the drift fired", len(matched), 1),
        Check(loop.name, f"runs begun by {_ALERTS} alerts", events["training_begun"], 1),
    ]


async def _rolled_back(loop: Loop, serving: str) -> Sequence[Check]:
    """Train on labels of somebody who confuses them: what passes the gate fails with people."""
    wrong = [each._replace(label=_OPPOSITE[each.label]) for each in loop.drifting(_CONFUSED)]
    loop.label({f"confused-{number}": each for number, each in enumerate(wrong)})
    await loop.publish(Draft(b"", {"action": "retrain"}))
    await _trained(loop)
    canary = loop.releases.canary
    await loop.refreshed()
    loop.label(await loop.stream(loop.drifting(_DRIFTING)))
    found = await _told(loop, "with labels of others")
    return [
        Check(loop.name, "canary of confused labels", bool(canary), True),
        Check(loop.name, "done with it", found["event"], "rolled_back"),
        Check(loop.name, "serves after it", loop.serving, serving),
        Check(loop.name, "canaries left", loop.releases.canary, None),
    ]


async def _trained(loop: Loop) -> None:
    """Wait for the run, and tell what its steps said."""
    await loop.emulator.runs.settled()
    for name, said in list(loop.emulator.runs.jobs.values())[-1].steps.items():
        loop.tell(f"  {name}: {said}")


async def _told(loop: Loop, what: str) -> Mapping[str, Any]:
    found = await loop.look()
    details = [f"{key.replace('_', ' ')} {_plain(found[key])}" for key in _DETAILS if key in found]
    loop.tell(f"  {what}: {'; '.join([found['event'], *details])}")
    return found


def _plain(value: object) -> str:
    """Return what was found in words; an accuracy is beside how many it was measured on."""
    if isinstance(value, Mapping):
        entries = cast("Mapping[str, object]", value).items()
        return ", ".join(f"{key.replace('_', ' ')} {_plain(each)}" for key, each in entries)
    if isinstance(value, list):
        share, count = cast("Sequence[float]", value)
        return f"{share:.2f} of {count:g}"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _shares(loop: Loop, seen: Mapping[str, Message]) -> Mapping[str, int]:
    rows = loop.emulator.warehouse.rows(loop.watched.results)
    return Counter(str(row["model"]) for row in rows if row["message_id"] in seen)


def _default(loop: Loop) -> str:
    service = loop.trainer.service
    name = f"projects/{service.project}/locations/{service.location}/models/"
    versions = loop.emulator.registry.versions(name + service.environment["REGISTRY_MODEL"])
    named = [each for each in versions if "default" in each["versionAliases"]]
    return str(named[0]["labels"]["version"]) if named else ""

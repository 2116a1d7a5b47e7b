"""The pipelines of a stack that can be tried out here, and the messages they get."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from emulator.demo.attributes import Attributes, let_through_and_held_back
from emulator.messages.cloud_storage_export import read_messages
from emulator.messages.dead_letters import original_id, source_subscription
from emulator.messages.publishing import Draft, PublishError
from emulator.messages.resources import SUBSCRIPTION, Subscription, Topic
from emulator.messages.schemas import encode, field_names
from emulator.runtime.emulator import Emulator, RunningService
from emulator.warehouse.store import table_id

_RESULTS = "RESULTS_TABLE"
_HELD = 3


@dataclass
class Pipeline:
    """A topic that pushes to a service of ours, and the messages of this run by id."""

    topic: Topic
    push: Subscription
    hosted: RunningService
    results: str
    """Id of the results table."""
    archives: list[Subscription]
    dead_letters: list[Subscription]
    """Where dead messages can be fetched."""
    good: dict[str, str] = field(default_factory=dict[str, str])
    poison: dict[str, str] = field(default_factory=dict[str, str])
    held: dict[str, str] = field(default_factory=dict[str, str])
    """The filter of the push subscription holds these back."""
    refused: list[str] = field(default_factory=list[str])
    """Why the topic took none of these."""
    repeated: list[str] = field(default_factory=list[str])
    """Delivered once more."""
    files: list[Path] = field(default_factory=list[Path])

    @property
    def name(self) -> str:
        """The topic's short name."""
        return self.topic.id.rpartition("/")[2]

    @property
    def ids(self) -> set[str]:
        """Of all messages the topic took."""
        return {*self.good, *self.poison, *self.held}

    def publish(self, emulator: Emulator) -> None:
        """Publish everything of messages.yaml, as the project's owner would.

        Messages have attributes that the push subscription's filter lets through; some have such
        that it holds back.
        """
        plan = sample_messages()[self.hosted.folder]
        through, back = self._attributes(emulator)
        sent: list[str] = plan["good"] if through is not None else []
        for number, text in enumerate(sent, start=1):
            self.good[self._publish(emulator, f"review-{number}", text, through)] = text
        for number, entry in enumerate(plan["poison"] if sent else [], start=1):
            text = entry["text"] * entry["times"]
            self.poison[self._publish(emulator, f"poison-{number}", text, through)] = entry["why"]
        for number, text in enumerate(plan["good"][:_HELD] if back is not None else [], start=1):
            self.held[self._publish(emulator, f"held-{number}", text, back)] = text
        for text in plan["misfits"]:
            try:
                (id_,) = emulator.broker.publish(
                    self.topic.id, [Draft(text.encode(), through or {})]
                )
                self.poison[id_] = "not what the service takes"
            except PublishError as problem:
                self.refused.append(str(problem))

    def _attributes(self, emulator: Emulator) -> tuple[Attributes | None, Attributes | None]:
        resource = emulator.world.get(SUBSCRIPTION, self.push.id)
        text = "" if resource is None else str(resource.inputs.get("filter") or "")
        return let_through_and_held_back(text)

    def _publish(
        self, emulator: Emulator, id_: str, text: str, attributes: Attributes | None
    ) -> str:
        record = {"id": id_, "text": text}
        schema = self.topic.schema
        if schema is None:
            data = json.dumps(record).encode()
        else:
            own = field_names(schema)
            data = encode(schema, {name: each for name, each in record.items() if name in own})
        key = "demo" if self.push.ordered else ""
        (published,) = emulator.broker.publish(self.topic.id, [Draft(data, attributes or {}, key)])
        return published

    def repeat(self, emulator: Emulator, count: int = 3) -> None:
        """Have some messages delivered once more, as Pub/Sub may at any time."""
        states = emulator.broker.states
        self.repeated = [id_ for id_ in self.good if states(self.push.id, {id_})["acked"]][:count]
        emulator.broker.redeliver(self.push.id, self.repeated)

    def rows(self, emulator: Emulator) -> list[dict[str, Any]]:
        """Return the results of this run's messages."""
        return [
            row for row in emulator.warehouse.rows(self.results) if row["message_id"] in self.ids
        ]

    def dead(self, emulator: Emulator) -> set[str]:
        """Return the messages of this run that the service failed on and that can be fetched as
        dead letters, by their first id."""
        fetched = [emulator.broker.waiting(each) for each in self.dead_letters]
        return {
            original_id(message)
            for each in fetched
            for message in each
            if source_subscription(message) == self.push.id
        } & self.ids

    def archived(self) -> list[str]:
        """Return the ids, or else the data, of the messages in this run's files."""
        found: list[str] = []
        for file in self.files:
            if file.read_bytes().startswith(b"Obj\x01"):
                found += [str(record.get("message_id", record)) for record in read_messages(file)]
            else:
                found += file.read_text().splitlines()
        return found


def sample_messages() -> dict[str, Any]:
    """Return the content of messages.yaml."""
    return yaml.safe_load(Path(__file__).with_name("messages.yaml").read_text())


def pipelines(emulator: Emulator) -> list[Pipeline]:
    """Return the pipelines whose service runs here and that messages.yaml has messages for."""
    found: list[Pipeline] = []
    subscriptions = list(emulator.broker.pipes.subscriptions.values())
    for push in subscriptions:
        hosted = next((e for e in emulator.hosted if push.push and _leads_to(push, e)), None)
        if hosted is None or hosted.folder not in sample_messages():
            continue
        # Of several services that take a topic's messages the first is counted.
        if any(each.topic.id == push.topic for each in found):
            continue
        of_dead = [e for e in subscriptions if e.pulled and e.topic == push.dead_letter_topic]
        found.append(
            Pipeline(
                topic=emulator.broker.pipes.topics[push.topic],
                push=push,
                hosted=hosted,
                results=table_id(hosted.service.environment[_RESULTS]),
                archives=_archives(emulator, push),
                dead_letters=of_dead,
            )
        )
    return found


def _archives(emulator: Emulator, push: Subscription) -> list[Subscription]:
    """Return where the messages of a pipeline are archived; others may take its topic's too."""
    of_topic = emulator.broker.pipes.of_topic(push.topic)
    shared = sum(each.push is not None for each in of_topic) > 1
    own = f"{push.id.removesuffix('-push')}-"
    return [each for each in of_topic if each.storage and (not shared or each.id.startswith(own))]


def _leads_to(push: Subscription, hosted: RunningService) -> bool:
    endpoint = push.push.endpoint if push.push else ""
    return any(endpoint.startswith(url) for url in hosted.service.audiences)

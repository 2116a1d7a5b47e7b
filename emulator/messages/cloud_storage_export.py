"""Lake: a Cloud Storage subscription's messages, written in batches as files.

https://cloud.google.com/pubsub/docs/cloudstorage
"""

import base64
import io
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fastavro

from emulator.messages.broker import Broker, Delivery
from emulator.messages.resources import MessageSchema, Subscription, seconds, service_agent
from emulator.messages.schemas import SchemaError, avro_schema, decode
from emulator.messages.store import Message
from sandbox.gcp.access import may
from sandbox.world import World

BUCKET = "gcp:storage/bucket:Bucket"
_DURATION_SECONDS = 300.0
_LARGEST_BATCH = 10_000
_DATETIME = "YYYY-MM-DDThh:mm:ss+00:00"
_FIELDS: Mapping[str, str] = {
    "YYYY": "%Y", "MM": "%m", "DD": "%d", "hh": "%H", "mm": "%M", "ss": "%S",
}  # fmt: skip
_METADATA = [
    {"name": "subscription_name", "type": "string"},
    {"name": "message_id", "type": "string"},
    {"name": "publish_time", "type": {"type": "long", "logicalType": "timestamp-micros"}},
    {"name": "attributes", "type": {"type": "map", "values": "string"}},
    {"name": "ordering_key", "type": "string"},
]


class CloudStorageExport:
    """The buckets' files, in `<folder>/<bucket>/`."""

    def __init__(self, world: World, folder: Path) -> None:
        self._world = world
        self.folder = folder

    def due(self, broker: Broker, subscription: Subscription) -> float | None:
        """When the file of what waits is to be written; None when nothing waits."""
        config = _config(subscription)
        if not broker.states(subscription.id)["waiting"]:
            return None
        # After a failure the first of them waits for the back-off.
        waiting = broker.waiting(subscription)
        first = max(broker.next_due(subscription) or 0.0, waiting[0].published)
        size = sum(len(message.data) for message in waiting)
        full = size >= _most_bytes(config) or len(waiting) >= _most_messages(config)
        return first if full else first + seconds(config.get("maxDuration"), _DURATION_SECONDS)

    def write(self, broker: Broker, subscription: Subscription) -> Path | None:
        """Write what waits as one file, up to its most bytes and messages, and acknowledge it.

        Gives the file. When the bucket can't be written to, or a message is not what the topic's
        schema says by now, the messages come again after the back-off.
        """
        batch = broker.lease(subscription, self._fitting(broker, subscription))
        if not batch:
            return None
        refused = self._refusal(subscription)
        if refused is not None:
            for delivery in batch:
                broker.nack(delivery, refused)
            return None
        topic = broker.pipes.topics[subscription.topic]
        messages = [each.message for each in batch]
        try:
            content = _content(subscription, messages, topic.schema)
        except SchemaError as problem:
            for delivery in batch:
                broker.nack(delivery, str(problem))
            return None
        file = self._file(subscription, batch, broker.clock.now())
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f".{file.name}")
        draft.write_bytes(content)
        draft.rename(file)
        broker.ack(batch)
        return file

    def _fitting(self, broker: Broker, subscription: Subscription) -> int:
        """Return how many of the messages that are due go into one file."""
        config, size, count = _config(subscription), 0, 0
        for message in broker.waiting(subscription, until=broker.clock.now()):
            size += len(message.data)
            if count and (size > _most_bytes(config) or count == _most_messages(config)):
                break
            count += 1
        return count

    def _refusal(self, subscription: Subscription) -> str | None:
        bucket = str(_config(subscription)["bucket"])
        project = f"projects/{subscription.project}"
        given = _config(subscription).get("serviceAccountEmail")
        writer = given or service_agent(self._world, subscription.project)
        if self._world.get(BUCKET, bucket) is None:
            return f"there is no bucket {bucket}"
        for permission in ("storage.objects.create", "storage.buckets.get"):
            if not may(self._world, writer, permission, bucket, project):
                return f"{writer} has no {permission} on {bucket}"
        return None

    def _file(self, subscription: Subscription, batch: Sequence[Delivery], now: float) -> Path:
        config = _config(subscription)
        moment = datetime.fromtimestamp(now, UTC)
        pattern = config.get("filenameDatetimeFormat") or _DATETIME
        written = re.sub(
            "|".join(_FIELDS), lambda found: moment.strftime(_FIELDS[found.group()]), pattern
        )
        # The same messages get the same id: nothing here is left to chance.
        ids = ",".join(each.message.id for each in batch)
        unique = uuid.uuid5(uuid.NAMESPACE_URL, f"{subscription.id}:{ids}")
        name = f"{config.get('filenamePrefix') or ''}{written}_{unique}"
        return self.folder / str(config["bucket"]) / f"{name}{config.get('filenameSuffix') or ''}"


def read_messages(file: Path) -> list[dict[str, Any]]:
    """Return the records of an Avro file."""
    with file.open("rb") as source:
        return [dict(record) for record in fastavro.reader(source) if isinstance(record, dict)]


def _config(subscription: Subscription) -> Mapping[str, Any]:
    return subscription.storage or {}


def _most_bytes(config: Mapping[str, Any]) -> int:
    return int(config.get("maxBytes") or 2**63)


def _most_messages(config: Mapping[str, Any]) -> int:
    return int(config.get("maxMessages") or _LARGEST_BATCH)


def _content(
    subscription: Subscription, messages: Sequence[Message], schema: MessageSchema | None
) -> bytes:
    avro = _config(subscription).get("avroConfig")
    if avro is None:
        return b"".join(message.data + b"\n" for message in messages)
    typed = bool(avro.get("useTopicSchema")) and schema is not None and schema.type == "AVRO"
    fields: list[Any] = [] if not avro.get("writeMetadata") else [*_METADATA]
    parsed = avro_schema(schema.definition) if typed and schema else None
    fields += parsed["fields"] if parsed else [{"name": "data", "type": "bytes"}]
    name = parsed["name"] if parsed else "PubSubMessage"
    unique = list({field["name"]: field for field in fields}.values())
    shape: Any = {"type": "record", "name": name.rpartition(".")[2], "fields": unique}
    records = [
        {
            **metadata(subscription.id, message),
            **(decode(schema, message.data) if typed and schema else {"data": message.data}),
        }
        for message in messages
    ]
    stream = io.BytesIO()
    fastavro.writer(stream, json.loads(json.dumps(shape)), records)
    return stream.getvalue()


def metadata(subscription_id: str, message: Message) -> dict[str, Any]:
    """Return what Pub/Sub writes beside a message's data."""
    return {
        "subscription_name": subscription_id,
        "message_id": message.id,
        "publish_time": datetime.fromtimestamp(message.published, UTC),
        "attributes": dict(message.attributes),
        "ordering_key": message.ordering_key,
    }


def as_text(data: bytes) -> str:
    """Return data as text, or as base64 where it is none."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return base64.b64encode(data).decode()

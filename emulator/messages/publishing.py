"""What may be published to a topic."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from catalog.words import plural
from emulator.messages.resources import Topic
from emulator.messages.schemas import SchemaError, decode

_LARGEST_BYTES = 10_000_000
OWN_PREFIX = "googclient_"


class PublishError(ValueError):
    """A message that Pub/Sub refuses; nothing of its request is kept."""


@dataclass(frozen=True)
class Draft:
    """A message to publish."""

    data: bytes = b""
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])
    ordering_key: str = ""


def checked_attributes(topic: Topic, draft: Draft) -> dict[str, str]:
    """Return the attributes the message gets. Raises PublishError when the topic doesn't take
    it."""
    if not draft.data and not draft.attributes:
        raise PublishError("a message needs data or attributes")
    if len(draft.data) > _LARGEST_BYTES:
        raise PublishError(
            f"found {plural(len(draft.data), 'byte')}, allowed: up to {_LARGEST_BYTES}"
        )
    if topic.schema is None:
        return dict(draft.attributes)
    try:
        decode(topic.schema, draft.data)
    except SchemaError as problem:
        raise PublishError(
            f"the message doesn't fit {topic.schema.name} ({topic.schema.encoding}): {problem}"
        ) from problem
    return {
        **draft.attributes,
        f"{OWN_PREFIX}schemaencoding": topic.schema.encoding,
        f"{OWN_PREFIX}schemaname": topic.schema.name,
        f"{OWN_PREFIX}schemarevisionid": topic.schema.revision,
    }

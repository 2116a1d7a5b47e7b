"""What a message says: a review, in one of the topic's encodings, or plain text.

A topic with a schema tells the encoding by an attribute of each message.
https://cloud.google.com/pubsub/docs/schemas#schema_attributes
"""

import io
from collections.abc import Mapping
from typing import Any

import fastavro
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.common.bodies import explain, validated
from services.common.errors import ServiceError

ENCODING = "googclient_schemaencoding"

AVRO_SCHEMA: Any = fastavro.parse_schema(
    {
        "type": "record",
        "name": "Review",
        "fields": [{"name": "id", "type": "string"}, {"name": "text", "type": "string"}],
    }
)
_WRONG = "malformed_payload"


class Review(BaseModel):
    """A text to classify."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    id: str | None = Field(default=None, max_length=1024, description="The sender's own id.")
    text: str = Field(min_length=1)


def parse_payload(data: bytes, attributes: Mapping[str, str], max_characters: int) -> Review:
    """Read a review.

    Raises `ServiceError` 422 for what is none, is not UTF-8, is empty or longer than
    `max_characters`: no second delivery would be any better.
    """
    encoding = attributes.get(ENCODING, "").upper()
    if encoding == "JSON":
        review = validated(Review, data, 422, _WRONG)
    elif encoding == "BINARY":
        review = _binary(data)
    elif encoding:
        raise ServiceError(
            422, _WRONG, f"found {ENCODING} {encoding!r}, allowed: JSON, BINARY or none"
        )
    else:
        review = _plain(data)
    return check_length(review, max_characters)


def check_length(review: Review, max_characters: int) -> Review:
    """Return the review. Raises `ServiceError` 422 for a text that is too long."""
    if len(review.text) > max_characters:
        raise ServiceError(
            422,
            "text_too_long",
            f"found {len(review.text)} characters, allowed: up to {max_characters}",
        )
    return review


def _binary(data: bytes) -> Review:
    stream = io.BytesIO(data)
    try:
        record = fastavro.schemaless_reader(stream, AVRO_SCHEMA, None)
    except UnicodeDecodeError as problem:
        raise _not_utf8(problem) from problem
    # Broken lengths raise whatever the buffer operation behind them does.
    except Exception as problem:
        raise ServiceError(422, _WRONG, f"not an Avro {{id, text}} record: {problem}") from problem
    if stream.tell() != len(data):
        raise ServiceError(422, _WRONG, "bytes are left after the Avro {id, text} record")
    try:
        return Review.model_validate(record)
    except ValidationError as problem:
        raise ServiceError(422, _WRONG, explain(problem)) from problem


def _plain(data: bytes) -> Review:
    """Without a schema: a JSON object is a review, anything else the text itself."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as problem:
        raise _not_utf8(problem) from problem
    if text.lstrip().startswith("{"):
        return validated(Review, data, 422, _WRONG)
    if not text.strip():
        raise ServiceError(422, _WRONG, "the message is empty")
    return Review(text=text)


def _not_utf8(problem: UnicodeDecodeError) -> ServiceError:
    return ServiceError(422, "not_utf8", f"the text is not UTF-8: {problem.reason}")

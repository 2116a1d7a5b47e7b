"""What Pub/Sub posts: an envelope around the message, or, unwrapped, the message itself.

https://cloud.google.com/pubsub/docs/push
https://cloud.google.com/pubsub/docs/payload-unwrapping
"""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from services.common.bodies import explain, require_json, validated
from services.common.errors import ServiceError

UNWRAPPED_ID = "x-goog-pubsub-message-id"
_UNWRAPPED_TIME = "x-goog-pubsub-publish-time"


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Message(_Model):
    """A message; both ways to write its keys are in use, often at once."""

    message_id: str = Field(
        min_length=1, max_length=1024, validation_alias=AliasChoices("messageId", "message_id")
    )
    publish_time: datetime | None = Field(
        default=None, validation_alias=AliasChoices("publishTime", "publish_time")
    )
    attributes: dict[str, str] = Field(default_factory=dict)
    encoded: str = Field(default="", validation_alias="data")

    def data(self) -> bytes:
        """Decode the data. Raises `ServiceError` 400 for bad base64."""
        try:
            return base64.b64decode(self.encoded, validate=True)
        except (binascii.Error, ValueError) as problem:
            raise ServiceError(
                400, "bad_base64", f"message.data is not base64: {problem}"
            ) from problem


class Envelope(_Model):
    """A delivery."""

    message: Message
    subscription: str = ""
    delivery_attempt: int | None = Field(
        default=None, validation_alias=AliasChoices("deliveryAttempt", "delivery_attempt")
    )


def parse_envelope(body: bytes, headers: Mapping[str, str]) -> Envelope:
    """Read a delivery of either kind. Raises `ServiceError` 400 or 415."""
    if UNWRAPPED_ID in headers:
        return _unwrapped(body, headers)
    require_json(headers)
    return validated(Envelope, body, 400, "malformed_envelope")


def _unwrapped(body: bytes, headers: Mapping[str, str]) -> Envelope:
    envelope: dict[str, Any] = {
        "message": {
            "messageId": headers[UNWRAPPED_ID],
            "publishTime": headers.get(_UNWRAPPED_TIME),
            "attributes": {
                key: value for key, value in headers.items() if key.startswith("googclient_")
            },
            "data": base64.b64encode(body).decode(),
        },
        "subscription": headers.get("x-goog-pubsub-subscription-name", ""),
    }
    try:
        return Envelope.model_validate(envelope)
    except ValidationError as problem:
        raise ServiceError(400, "malformed_envelope", explain(problem)) from problem

"""Push: a delivery as an HTTP request, and what its answer means.

https://cloud.google.com/pubsub/docs/push
https://cloud.google.com/pubsub/docs/payload-unwrapping
"""

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from emulator.messages.broker import Delivery
from emulator.messages.resources import Push
from emulator.tokens import Issuer, subject_of
from sandbox.world import World

ACKNOWLEDGED = (102, 200, 201, 202, 204)
_LOCAL = ("127.0.0.1", "localhost")

Resolve = Callable[[str], str | None]
"""Gives where a host of the world is on this machine, `http://127.0.0.1:<port>`."""


class Pusher:
    """Posts deliveries, each with a token of the subscription's service account."""

    def __init__(
        self, world: World, issuer: Issuer, client: httpx.AsyncClient, resolve: Resolve
    ) -> None:
        self._world = world
        self._issuer = issuer
        self._client = client
        self._resolve = resolve

    async def push(self, delivery: Delivery) -> str | None:
        """Post; return None when the message is acknowledged, else why not."""
        push = delivery.subscription.push
        assert push is not None  # noqa: S101 -- the caller chose the subscription by it
        url, host = self._url(push.endpoint)
        if url is None:
            return f"no such host: {host}"
        headers = {"host": host, "user-agent": "APIs-Google"}
        if push.account:
            subject = subject_of(self._world, push.account)
            if subject is None:
                return f"no such service account: {push.account}"
            token = self._issuer.token(push.account, push.audience, subject=subject)
            headers["authorization"] = f"Bearer {token}"
        try:
            response = await self._client.post(
                url, timeout=delivery.subscription.ack_deadline, **_request(delivery, push, headers)
            )
        except httpx.TimeoutException:
            return "no answer before the ack deadline"
        except httpx.TransportError as problem:
            return f"no answer: {problem or type(problem).__name__}"
        if response.status_code in ACKNOWLEDGED:
            return None
        return f"{response.status_code} {_category(response)}".strip()

    def _url(self, endpoint: str) -> tuple[str | None, str]:
        parts = urlsplit(endpoint)
        base = self._resolve(f"{parts.scheme}://{parts.netloc}")
        if base is None and parts.hostname in _LOCAL:
            return endpoint, parts.netloc
        path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
        return (None if base is None else f"{base}{path}"), parts.netloc


def _request(delivery: Delivery, push: Push, headers: dict[str, str]) -> dict[str, Any]:
    if push.wrapped:
        return {"headers": headers, "json": envelope(delivery)}
    return {"headers": {**headers, **_metadata(delivery, push)}, "content": delivery.message.data}


def envelope(delivery: Delivery) -> dict[str, Any]:
    """Return the body of a wrapped delivery; Pub/Sub writes some keys in two ways."""
    message = delivery.message
    published = rfc3339(message.published)
    body: dict[str, Any] = {
        "message": {
            "data": base64.b64encode(message.data).decode(),
            "attributes": dict(message.attributes),
            "messageId": message.id,
            "message_id": message.id,
            "publishTime": published,
            "publish_time": published,
        },
        "subscription": delivery.subscription.id,
    }
    if message.ordering_key:
        body["message"]["orderingKey"] = message.ordering_key
    if delivery.subscription.dead_letter_topic:
        body["deliveryAttempt"] = delivery.attempt
    return body


def _metadata(delivery: Delivery, push: Push) -> dict[str, str]:
    if not push.metadata:
        return {}
    message = delivery.message
    headers = {
        "x-goog-pubsub-subscription-name": delivery.subscription.id,
        "x-goog-pubsub-message-id": message.id,
        "x-goog-pubsub-publish-time": rfc3339(message.published),
    }
    if message.ordering_key:
        headers["x-goog-pubsub-ordering-key"] = message.ordering_key
    return {**headers, **message.attributes}


def rfc3339(moment: float) -> str:
    """Return seconds since 1970 as `2026-01-02T03:04:05.678Z`."""
    written = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
    return written.replace("+00:00", "Z")


def _category(response: httpx.Response) -> str:
    """Return what the services of this project say besides the status."""
    try:
        return str(response.json()["error"]["category"])
    except (ValueError, KeyError, TypeError):
        return ""

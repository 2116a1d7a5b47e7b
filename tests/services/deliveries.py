"""Pub/Sub deliveries, as they are posted."""

import asyncio
import base64
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import fastavro
import httpx

from services.sentiment_analyzer.payload import AVRO_SCHEMA, ENCODING


def encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def envelope(
    data: bytes = b"I love it", message_id: str = "1", attributes: Mapping[str, str] | None = None
) -> dict[str, Any]:
    return {
        "message": {
            "data": encode(data),
            "messageId": message_id,
            "message_id": message_id,
            "publishTime": "2026-01-02T03:04:05.678Z",
            "publish_time": "2026-01-02T03:04:05.678Z",
            "attributes": dict(attributes or {}),
        },
        "subscription": "projects/acme/subscriptions/sentiment-push",
        "deliveryAttempt": 1,
    }


def avro_json(text: str, message_id: str = "1") -> dict[str, Any]:
    data = json.dumps({"id": f"review-{message_id}", "text": text}).encode()
    return envelope(data, message_id, {ENCODING: "JSON"})


def avro_binary(text: str, message_id: str = "1") -> dict[str, Any]:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, AVRO_SCHEMA, {"id": f"review-{message_id}", "text": text})
    return envelope(stream.getvalue(), message_id, {ENCODING: "BINARY"})


async def deliver_all(url: str, deliveries: Sequence[dict[str, Any]]) -> list[int]:
    """Post all at once; return the status of each, 0 for a broken connection."""

    async def one(client: httpx.AsyncClient, delivery: dict[str, Any]) -> int:
        try:
            return (await client.post(url, json=delivery)).status_code
        except httpx.TransportError:
            return 0

    limits = httpx.Limits(max_connections=len(deliveries))
    async with httpx.AsyncClient(timeout=60, limits=limits) as client:
        return list(await asyncio.gather(*(one(client, delivery) for delivery in deliveries)))


def acknowledged(status: int) -> bool:
    """Return whether Pub/Sub takes the status for an acknowledgement."""
    return status in (102, 200, 201, 202, 204)

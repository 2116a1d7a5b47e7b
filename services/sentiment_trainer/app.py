"""The HTTP side: Pub/Sub's deliveries on `/`."""

import asyncio
import json
import time
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, Request, Response

from services.common.application import application
from services.common.errors import ServiceError
from services.common.google_rest import GoogleError
from services.common.objects import ChangedError
from services.common.observe import noted
from services.common.sink import RowShape, SinkError
from services.common.storage_write import StorageWriteSink
from services.sentiment_analyzer.envelope import Message, parse_envelope
from services.sentiment_analyzer.learned import ModelError
from services.sentiment_trainer.settings import Settings
from services.sentiment_trainer.trainer import Trainer
from services.sentiment_trainer.watch import Finding

SHAPE = RowShape(
    columns=("message_id", "processed_at", "model", "input", "output", "latency_ms"),
    required=("message_id", "processed_at"),
    integers=("processed_at", "latency_ms"),
)
_ACTION = "action"


def asked_by(message: Message) -> str:
    """Return what a message asks for: check, retrain, alert, or nothing (closed).

    An alert is what Cloud Monitoring publishes. Raises ServiceError 422.
    https://cloud.google.com/monitoring/support/notification-options#schema-pubsub
    """
    action = message.attributes.get(_ACTION)
    if action in ("check", "retrain"):
        return action
    try:
        state = str(json.loads(message.data())["incident"]["state"]).lower()
    except (ValueError, KeyError, TypeError) as problem:
        raise ServiceError(
            422,
            "malformed_payload",
            f"found attribute {_ACTION} {action!r} and no incident, allowed: {_ACTION} check or "
            "retrain, or an incident of Cloud Monitoring",
        ) from problem
    return "alert" if state == "open" else "closed"


def build(settings: Settings) -> FastAPI:
    """Make the application."""
    trainer = Trainer(settings)
    sink = StorageWriteSink(
        SHAPE,
        settings.results_table,
        settings.bigquery_storage_endpoint,
        settings.sink_timeout_seconds,
    )

    def work(asked: str, message: Message) -> Finding:
        now = datetime.now(UTC)
        if asked == "check":
            return trainer.check(now)
        return trainer.retrain(message.message_id, now, by_alert=asked == "alert")

    async def deliver(request: Request) -> Response:
        """Take a delivery: 204 when what was found and done is written down."""
        message = parse_envelope(await request.body(), request.headers).message
        asked, started = asked_by(message), time.perf_counter()
        note = noted(request)
        note.fields |= {"message_id": message.message_id, "asked": asked}
        if asked == "closed":
            return Response(status_code=204)
        try:
            found = await asyncio.to_thread(work, asked, message)
        except (GoogleError, ModelError, ChangedError) as problem:
            raise ServiceError(503, "google_unavailable", str(problem)) from problem
        note.fields["event"] = found.event
        row = _row(message, asked, found, time.perf_counter() - started)
        try:
            await sink.write(row)
        except SinkError as problem:
            raise ServiceError(503, "sink_unavailable", str(problem)) from problem
        return Response(status_code=204)

    app = application(
        "Sentiment trainer",
        state=lambda: {"sink": "ok" if sink.healthy else "failing"},
        start=sink.start,
        stop=sink.close,
    )
    app.add_api_route("/", deliver, methods=["POST"])
    return app


def _row(message: Message, asked: str, found: Finding, seconds: float) -> dict[str, Any]:
    """Return the row of what was found and done: the platform's columns of results."""
    return {
        "message_id": message.message_id,
        "processed_at": int(datetime.now(UTC).timestamp() * 1_000_000),
        "model": str(found.details.get("model") or found.details.get("canary") or ""),
        "input": asked,
        "output": json.dumps({"event": found.event, **found.details}, default=str),
        "latency_ms": round(seconds * 1000),
    }

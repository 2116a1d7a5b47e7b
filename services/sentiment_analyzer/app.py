"""The HTTP side: Pub/Sub's deliveries on `/`, direct calls on `/v1/sentiment`."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, Request, Response
from opentelemetry import metrics, trace
from starlette.responses import JSONResponse

from services.common.errors import ServiceError, error_response
from services.common.logs import FIELDS
from services.common.observe import noted
from services.sentiment_analyzer.envelope import Envelope, parse_envelope, validated
from services.sentiment_analyzer.model import MODEL_VERSION, Classifier, Sentiment
from services.sentiment_analyzer.once import Once
from services.sentiment_analyzer.payload import Review, check_length, parse_payload
from services.sentiment_analyzer.results import Result, hash_text
from services.sentiment_analyzer.settings import Settings
from services.sentiment_analyzer.sink import Sink, SinkError
from services.sentiment_analyzer.storage_write import StorageWriteSink

_log = logging.getLogger(__name__)
_tracer = trace.get_tracer(__name__)
_predictions = metrics.get_meter(__name__).create_counter("sentiment.predictions")


class Analyzer:
    """Classifies deliveries and keeps the results."""

    def __init__(self, settings: Settings, sink: Sink) -> None:
        self._settings = settings
        self._classifier = Classifier()
        self._done = Once[Result](settings.remembered_messages)
        self.sink = sink

    async def deliver(self, envelope: Envelope) -> tuple[Result, bool]:
        """Gives the result, kept, and whether it was there already. Raises `ServiceError`."""
        return await self._done.run(envelope.message.message_id, lambda: self._handle(envelope))

    async def classify(self, text: str) -> Sentiment:
        """Classifies beside the server's loop: a long text must not hold up health checks."""
        with _tracer.start_as_current_span("classify"):
            sentiment = await asyncio.to_thread(self._classifier.classify, text)
        _predictions.add(1, {"label": sentiment.label})
        return sentiment

    def review(self, body: bytes) -> Review:
        """Reads the body of a direct call. Raises `ServiceError` 422."""
        review = validated(Review, body, 422, "malformed_payload")
        return check_length(review, self._settings.max_text_characters)

    async def _handle(self, envelope: Envelope) -> Result:
        started = time.perf_counter()
        message = envelope.message
        review = parse_payload(
            message.data(), message.attributes, self._settings.max_text_characters
        )
        sentiment = await self.classify(review.text)
        result = Result(
            message_id=message.message_id,
            review_id=review.id,
            text_hash=hash_text(review.text),
            sentiment=sentiment,
            latency_ms=(time.perf_counter() - started) * 1000,
            published_at=message.publish_time,
            processed_at=datetime.now(UTC),
        )
        try:
            with _tracer.start_as_current_span("write result"):
                await self.sink.write(result.row())
        except SinkError as problem:
            raise ServiceError(503, "sink_unavailable", str(problem), retry_after=5) from problem
        return result


def build(settings: Settings) -> FastAPI:
    """Makes the application."""
    sink = StorageWriteSink(
        settings.results_table, settings.bigquery_storage_endpoint, settings.sink_timeout_seconds
    )
    analyzer = Analyzer(settings, sink)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await sink.start()
        _log.info("ready", extra={FIELDS: {"model": MODEL_VERSION}})
        yield
        await sink.close()
        _log.info("stopped")

    app = FastAPI(title="Sentiment analyzer", lifespan=lifespan, docs_url=None, redoc_url=None)

    @app.exception_handler(ServiceError)
    async def on_error(request: Request, error: ServiceError) -> JSONResponse:
        note = noted(request)
        note.category = error.category
        note.fields["error"] = error.message
        return error_response(error)

    @app.post("/")
    async def deliver(request: Request) -> Response:
        """Takes a delivery: 204 when its result is kept."""
        envelope = parse_envelope(await request.body(), request.headers)
        note = noted(request)
        note.fields |= {
            "mode": "push",
            "message_id": envelope.message.message_id,
            "subscription": envelope.subscription,
            "delivery_attempt": envelope.delivery_attempt,
        }
        result, repeated = await analyzer.deliver(envelope)
        note.fields |= {"label": result.sentiment.label, "duplicate": repeated}
        return Response(status_code=204)

    @app.post("/v1/sentiment")
    async def classify(request: Request) -> dict[str, Any]:
        """Classifies `{"text": ...}` for a caller that waits; nothing is kept."""
        media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if media_type != "application/json":
            raise ServiceError(
                415, "wrong_content_type", f"found {media_type!r}, allowed: application/json"
            )
        noted(request).fields["mode"] = "direct"
        review = analyzer.review(await request.body())
        sentiment = await analyzer.classify(review.text)
        noted(request).fields["label"] = sentiment.label
        return {
            "id": review.id,
            "label": sentiment.label,
            "score": sentiment.score,
            "model": MODEL_VERSION,
        }

    @app.get("/")
    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Answers while the process does."""
        return {"status": "ok"}

    @app.get("/readyz")
    async def readyz() -> dict[str, str]:
        """Ready once the lexicon is loaded, as it is before the port opens."""
        return {"status": "ok", "sink": "ok" if sink.healthy else "failing"}

    # FastAPI finds handlers by their decorators; the names are for tracebacks.
    _ = (on_error, deliver, classify, healthz, readyz)
    return app

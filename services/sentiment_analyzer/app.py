"""The HTTP side: Pub/Sub's deliveries on `/`, direct calls on `/v1/sentiment`."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, Request, Response
from opentelemetry import metrics, trace

from services.common.application import application
from services.common.bodies import require_json, validated
from services.common.errors import ServiceError
from services.common.google_rest import GoogleRest
from services.common.hashes import hash_text
from services.common.objects import Objects
from services.common.observe import noted
from services.common.sink import Sink, SinkError
from services.common.storage_write import StorageWriteSink
from services.sentiment_analyzer.envelope import Envelope, parse_envelope
from services.sentiment_analyzer.learned import SentimentClassifier, known_share
from services.sentiment_analyzer.model import Sentiment
from services.sentiment_analyzer.once import Once
from services.sentiment_analyzer.payload import Review, check_length, parse_payload
from services.sentiment_analyzer.releases import Versions
from services.sentiment_analyzer.results import SHAPE, Result
from services.sentiment_analyzer.settings import Settings

_SHORT = 250
"""Characters that take less time to classify than another thread takes to begin."""

_tracer = trace.get_tracer(__name__)
_predictions = metrics.get_meter(__name__).create_counter("sentiment.predictions")


class Analyzer:
    """Classifies deliveries and keeps the results."""

    def __init__(self, settings: Settings, sink: Sink) -> None:
        self._settings = settings
        google = GoogleRest(settings.google_apis_endpoint)
        objects = Objects(google, settings.model_store) if settings.model_store else None
        self._versions = Versions(objects, settings.models_refresh_seconds)
        self._done = Once[Result](settings.remembered_messages)
        self.sink = sink

    async def deliver(self, envelope: Envelope) -> tuple[Result, bool]:
        """Return the result, kept, and whether it was there already. Raises `ServiceError`."""
        return await self._done.run(envelope.message.message_id, lambda: self._handle(envelope))

    async def start(self) -> None:
        """Get ready: read which versions classify."""
        await asyncio.gather(self.sink.start(), asyncio.to_thread(self._versions.refresh))

    async def classifier(self, key: str) -> SentimentClassifier:
        """Return what classifies the message with a key."""
        if self._versions.is_old():
            # An instance has a CPU while it works on requests: one of them waits for the look.
            await asyncio.to_thread(self._versions.refresh)
        return self._versions.of(key)

    async def classify(self, classifier: SentimentClassifier, text: str) -> Sentiment:
        """Classify, a long text beside the server's loop: it must not hold up health checks."""
        with _tracer.start_as_current_span("classify"):
            if len(text) <= _SHORT:
                sentiment = classifier.classify(text)
            else:
                sentiment = await asyncio.to_thread(classifier.classify, text)
        _predictions.add(1, {"label": sentiment.label, "model": classifier.version})
        return sentiment

    def review(self, body: bytes) -> Review:
        """Read the body of a direct call. Raises `ServiceError` 422."""
        review = validated(Review, body, 422, "malformed_payload")
        return check_length(review, self._settings.max_text_characters)

    async def _handle(self, envelope: Envelope) -> Result:
        started = time.perf_counter()
        message = envelope.message
        review = parse_payload(
            message.data(), message.attributes, self._settings.max_text_characters
        )
        classifier = await self.classifier(message.message_id)
        sentiment = await self.classify(classifier, review.text)
        result = Result(
            message_id=message.message_id,
            model=classifier.version,
            review_id=review.id,
            text_hash=hash_text(review.text),
            sentiment=sentiment,
            known_share=known_share(classifier, review.text),
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
    """Make the application."""
    sink = StorageWriteSink(
        SHAPE,
        settings.results_table,
        settings.bigquery_storage_endpoint,
        settings.sink_timeout_seconds,
    )
    analyzer = Analyzer(settings, sink)

    async def deliver(request: Request) -> Response:
        """Take a delivery: 204 when its result is kept."""
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

    async def classify(request: Request) -> dict[str, Any]:
        """Classify `{"text": ...}` for a caller that waits; nothing is kept."""
        note = noted(request)
        note.fields["mode"] = "direct"
        require_json(request.headers)
        review = analyzer.review(await request.body())
        classifier = await analyzer.classifier(review.id or review.text)
        sentiment = await analyzer.classify(classifier, review.text)
        note.fields["label"] = sentiment.label
        return {"id": review.id, **sentiment._asdict(), "model": classifier.version}

    app = application(
        "Sentiment analyzer",
        state=lambda: {"sink": "ok" if sink.healthy else "failing"},
        start=analyzer.start,
        stop=sink.close,
    )
    app.add_api_route("/", deliver, methods=["POST"])
    app.add_api_route("/v1/sentiment", classify, methods=["POST"])
    return app

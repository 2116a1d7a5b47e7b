"""A result: a row of the table the platform makes."""

import json
from dataclasses import dataclass
from datetime import datetime

from services.common.sink import RowShape
from services.sentiment_analyzer.model import Sentiment

SHAPE = RowShape(
    columns=("message_id", "processed_at", "model", "input", "output", "latency_ms"),
    required=("message_id", "processed_at"),
    integers=("processed_at", "latency_ms"),
)


@dataclass(frozen=True)
class Result:
    """The classification of one message."""

    message_id: str
    model: str
    """Name and version of the classifier."""
    review_id: str | None
    text_hash: str
    """SHA-256: finds equal texts without keeping any; the archive has the texts."""
    sentiment: Sentiment
    known_share: float
    """Of the text's words, how many the classifier knows."""
    latency_ms: float
    """From taking up the message to its classification."""
    published_at: datetime | None
    processed_at: datetime

    def row(self) -> dict[str, str | int]:
        """Return the columns of catalog.limits.bigquery.RESULTS."""
        published = self.published_at and self.published_at.isoformat()
        output = {
            "label": self.sentiment.label,
            "score": self.sentiment.score,
            "known_share": round(self.known_share, 2),
            "review_id": self.review_id,
            "published_at": published,
        }
        return {
            "message_id": self.message_id,
            "processed_at": int(self.processed_at.timestamp() * 1_000_000),
            "model": self.model,
            "input": self.text_hash,
            "output": json.dumps(output),
            "latency_ms": round(self.latency_ms),
        }

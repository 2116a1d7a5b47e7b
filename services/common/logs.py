"""Logs as Cloud Logging reads them: one JSON object a line on standard output.

https://cloud.google.com/logging/docs/structured-logging#special-payload-fields
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, cast

from opentelemetry import trace

from services.common.errors import shortened

FIELDS = "fields"
"""Key of `extra` whose mapping becomes fields of the line."""


_LONGEST_VALUE = 4000
"""Characters; Cloud Logging takes no line of more than 256 KiB."""
_CATEGORIES = {
    "Invalid HTTP request received.": "malformed_http",
    "Exceeded concurrency limit.": "too_many_connections",
}
"""Of what the server refuses itself, by what it says then."""


class CloudLoggingFormatter(logging.Formatter):
    """Writes a record with Cloud Logging's names, and the trace the record belongs to."""

    def __init__(self, project: str) -> None:
        super().__init__()
        self._project = project

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "severity": record.levelname,
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "message": record.getMessage(),
            "logger": record.name,
            **self._trace(),
            **getattr(record, FIELDS, {}),
        }
        if line["message"] in _CATEGORIES:
            line["error_category"] = _CATEGORIES[line["message"]]
        line = _bounded(line)
        if record.exc_info:
            line["stack_trace"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)

    def _trace(self) -> dict[str, Any]:
        span = trace.get_current_span().get_span_context()
        if not span.is_valid:
            return {}
        trace_id = trace.format_trace_id(span.trace_id)
        project = f"projects/{self._project}/traces/" if self._project else ""
        return {
            "logging.googleapis.com/trace": f"{project}{trace_id}",
            "logging.googleapis.com/spanId": trace.format_span_id(span.span_id),
            "logging.googleapis.com/trace_sampled": span.trace_flags.sampled,
        }


def _bounded(values: dict[str, Any]) -> dict[str, Any]:
    return {
        key: shortened(value, _LONGEST_VALUE)
        if isinstance(value, str)
        else _bounded(cast("dict[str, Any]", value))
        if isinstance(value, dict)
        else value
        for key, value in values.items()
    }


def configure_logs(project: str, level: str) -> None:
    """Make every logger of the process write JSON lines."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(CloudLoggingFormatter(project))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # What these tell is in our own lines, with its category.
    for library in ("aiohttp", "stamina"):
        logging.getLogger(library).setLevel(logging.ERROR)

"""Observe: a span, a metric and a log line for every request, and an answer for every error."""

import asyncio
import logging
import time
from dataclasses import dataclass, field
from typing import Any

from opentelemetry import metrics, propagate, trace
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.common.errors import ServiceError, SlowClientError, error_response, internal_error
from services.common.logs import FIELDS

PROBES = ("/healthz", "/readyz")

# Others would be as many series as callers can think of.
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")

_log = logging.getLogger(__name__)
CLIENT_GONE = 499
"""What the log says of a client that left; nobody gets it as an answer."""


@dataclass
class Noted:
    """What a handler wants in the request's log line, metric and span."""

    fields: dict[str, Any] = field(default_factory=dict[str, Any])
    category: str | None = None
    """Of the error; None without."""


def noted(request: Request) -> Noted:
    """Return what is noted of the request."""
    return request.scope["noted"]


def is_probe(scope: Scope) -> bool:
    """Tell a health check, which is neither limited nor logged."""
    return scope["path"] in PROBES or (scope["path"] == "/" and scope["method"] in ("GET", "HEAD"))


class Observe:
    """Outermost middleware. Errors that reach it become JSON answers; nothing gets past it."""

    def __init__(self, app: ASGIApp, service: str) -> None:
        self._app = app
        self._tracer = trace.get_tracer(service)
        meter = metrics.get_meter(service)
        self._duration = meter.create_histogram("http.server.request.duration", "s")
        self._active = meter.create_up_down_counter("http.server.active_requests")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or pass on what is none."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        scope["noted"] = Noted()
        self._active.add(1)
        try:
            with self._tracer.start_as_current_span(
                f"{scope['method']} {scope['path']}",
                context=propagate.extract(headers),
                kind=trace.SpanKind.SERVER,
            ) as span:
                await self._serve(scope, receive, send, headers, span)
        finally:
            self._active.add(-1)

    async def _serve(
        self, scope: Scope, receive: Receive, send: Send, headers: Headers, span: trace.Span
    ) -> None:
        note: Noted = scope["noted"]
        sent: dict[str, int] = {"status": 0, "bytes": 0}

        async def counting_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                sent["status"] = message["status"]
            else:
                sent["bytes"] += len(message.get("body", b""))
            await send(message)

        _log.debug("%s %s begins", scope["method"], scope["path"])
        started = time.perf_counter()
        try:
            await self._app(scope, receive, counting_send)
        except ServiceError as error:
            note.category = error.category
            note.fields["error"] = error.message
            if not sent["status"]:
                # What of the body is unread must not be taken for the next request.
                response = error_response(error, {"connection": "close"})
                await response(scope, receive, counting_send)
        except asyncio.CancelledError:
            note.category = "cut_at_stop"
            self._report(scope, headers, span, sent, time.perf_counter() - started)
            raise
        except (ClientDisconnect, SlowClientError) as error:
            causes = (error, error.__cause__, error.__context__)
            slow = any(isinstance(cause, SlowClientError) for cause in causes)
            note.category = "slow_client" if slow else "client_gone"
            sent["status"] = sent["status"] or CLIENT_GONE
        except Exception:
            note.category = "internal"
            _log.exception("unexpected error")
            if not sent["status"]:
                await error_response(internal_error())(scope, receive, counting_send)
        self._report(scope, headers, span, sent, time.perf_counter() - started)

    def _report(
        self, scope: Scope, headers: Headers, span: trace.Span, sent: dict[str, int], seconds: float
    ) -> None:
        note: Noted = scope["noted"]
        status = sent["status"]
        attributes: dict[str, str | int] = {
            "http.request.method": scope["method"] if scope["method"] in _METHODS else "_OTHER",
            "http.response.status_code": status,
            **({"error.type": note.category} if note.category else {}),
        }
        span.set_attributes(attributes)
        span.set_attributes({f"app.{key}": str(value) for key, value in note.fields.items()})
        if not is_probe(scope):
            self._duration.record(seconds, attributes)
        level = logging.INFO
        if is_probe(scope):
            level = logging.DEBUG
        elif note.category:
            level = logging.ERROR if status >= 500 else logging.WARNING
        client = scope.get("client")
        fields: dict[str, Any] = {
            **note.fields,
            **({"error_category": note.category} if note.category else {}),
            "duration_ms": round(seconds * 1000, 2),
            "httpRequest": {
                "requestMethod": scope["method"],
                "requestUrl": scope["path"],
                "requestSize": headers.get("content-length", ""),
                "status": status,
                "responseSize": str(sent["bytes"]),
                "userAgent": headers.get("user-agent", ""),
                "remoteIp": client[0] if client else "",
                "latency": f"{seconds:.6f}s",
            },
        }
        _log.log(level, "%s %s %s", scope["method"], scope["path"], status, extra={FIELDS: fields})

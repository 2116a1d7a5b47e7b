"""What every service does alike, shown on the analyzer, which needs no model server."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.services.conftest import Start
from tests.services.deliveries import envelope
from tests.services.harness import Service

TRACE = "0af7651916cd43dd8448eb211c80319c"


def talk(service: Service, sent: bytes) -> bytes:
    """Send bytes and return all that comes until the service hangs up."""
    with closing(socket.create_connection(("127.0.0.1", service.port), timeout=60)) as line:
        line.sendall(sent)
        received = b""
        while piece := line.recv(65536):
            received += piece
        return received


@pytest.mark.parametrize("begun", [b"", b"POST / HTTP/1.1\r\nHost: a\r\nX-Slow: "])
def test_who_does_not_send_headers_is_cut_off(start_analyzer: Start, begun: bytes) -> None:
    service = start_analyzer(HEADER_TIMEOUT_SECONDS="0.3")
    assert talk(service, begun) == b""
    assert service.wait_for_log(error_category="slow_headers")


def test_half_a_second_request_is_cut_off_too(start_analyzer: Start) -> None:
    service = start_analyzer(HEADER_TIMEOUT_SECONDS="0.3")
    received = talk(service, b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HT")
    assert received.count(b"HTTP/1.1 200") == 1


def test_who_does_not_send_its_body_gets_408(start_analyzer: Start) -> None:
    service = start_analyzer(BODY_TIMEOUT_SECONDS="0.3")
    begun = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{"
    assert talk(service, begun).startswith(b"HTTP/1.1 408")
    assert service.wait_for_log(error_category="slow_body")


def test_a_body_without_a_length_is_cut_at_the_limit(start_analyzer: Start) -> None:
    service = start_analyzer(MAX_BODY_BYTES="1000")
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert talk(service, head + b"800\r\n" + b"a" * 2048 + b"\r\n").startswith(b"HTTP/1.1 413")


def test_a_body_with_two_lengths_is_refused_and_what_follows_it_is_no_request(
    start_analyzer: Start,
) -> None:
    service = start_analyzer()
    for begun in (b"POST / HTTP/1.1", b"GET /healthz HTTP/1.1"):
        both = b"\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        received = talk(service, begun + both + b"GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert received.startswith(b"HTTP/1.1 400")
        assert received.count(b"HTTP/1.1") == 1
    assert service.wait_for_log(error_category="malformed_http")


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nHost: a\r\nX-A: a\0b\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc",
        b"POST / HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_with_its_category(start_analyzer: Start, sent: bytes) -> None:
    service = start_analyzer()
    assert talk(service, sent).startswith(b"HTTP/1.1 400")
    assert service.wait_for_log(error_category="malformed_http")
    assert httpx.get(f"{service.url}/healthz").is_success


def test_more_connections_than_allowed_are_refused_with_their_category(
    start_analyzer: Start,
) -> None:
    service = start_analyzer(MAX_CONNECTIONS="2")
    with closing(socket.create_connection(("127.0.0.1", service.port))):
        refused = talk(service, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert refused.startswith(b"HTTP/1.1 503")
    assert service.wait_for_log(error_category="too_many_connections")


def test_a_health_check_with_a_body_waits_no_longer_than_any_other(start_analyzer: Start) -> None:
    service = start_analyzer(BODY_TIMEOUT_SECONDS="0.3")
    begun = b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"
    assert talk(service, begun).startswith(b"HTTP/1.1 408")


def test_no_answer_and_no_log_line_repeats_all_that_was_sent(
    start_analyzer: Start, client: httpx.Client
) -> None:
    service = start_analyzer()
    keys = ",".join(f'"{number}": 1' for number in range(50_000))
    wrong = [
        (f'{{"text": "a", {keys}}}', "application/json"),
        (f'{{"{"a" * 900_000}": 1}}', "application/json"),
        ("a", "a" * 60_000),
    ]
    for body, content_type in wrong:
        headers = {"content-type": content_type}
        answer = client.post(f"{service.url}/v1/sentiment", content=body, headers=headers)
        assert answer.is_client_error
        assert len(answer.content) < 2000
    client.get(f"{service.url}/{'a' * 60_000}")
    service.wait_for_log(error_category="no_such_route")
    assert max(len(json.dumps(line)) for line in service.log) < 20_000


def test_who_leaves_while_sending_is_noted_and_forgotten(start_analyzer: Start) -> None:
    service = start_analyzer()
    with closing(socket.create_connection(("127.0.0.1", service.port), timeout=60)) as line:
        line.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{")
    assert service.wait_for_log(error_category="client_gone")


def test_health_checks_answer(start_analyzer: Start, client: httpx.Client) -> None:
    service = start_analyzer()
    for path in ("/", "/healthz", "/readyz"):
        assert client.get(f"{service.url}{path}").json()["status"] == "ok"
        assert client.head(f"{service.url}{path}").status_code == 200
    for method, path, status in (("GET", "/other", 404), ("PUT", "/", 405), ("POST", "//", 404)):
        answer = client.request(method, f"{service.url}{path}")
        assert answer.status_code == status
        assert answer.json()["error"]["category"] == "no_such_route"
    assert service.wait_for_log(error_category="no_such_route")


def test_logs_are_what_cloud_logging_reads(start_analyzer: Start, client: httpx.Client) -> None:
    service = start_analyzer()
    headers = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
    client.post(service.url, json=envelope(), headers=headers)
    line = service.wait_for_log(message_id="1")
    assert line["severity"] == "INFO"
    assert line["logging.googleapis.com/trace"] == f"projects/acme/traces/{TRACE}"
    assert line["logging.googleapis.com/trace_sampled"] is True
    assert line["httpRequest"]["requestMethod"] == "POST"
    assert line["httpRequest"]["latency"].endswith("s")
    assert line["duration_ms"] > 0
    assert not [line for line in service.log if line["severity"] == "NOT JSON"]
    assert "I love it" not in json.dumps(service.log)


class Collector:
    """An OTLP receiver that keeps what it gets."""

    def __init__(self) -> None:
        self.spans: list[str] = []
        self.trace_ids: set[str] = set()
        self.metrics: set[str] = set()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                collector.take(self.path, self.rfile.read(int(self.headers["content-length"])))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self._thread = threading.Thread(target=self.server.serve_forever)
        self._thread.start()

    def take(self, path: str, body: bytes) -> None:
        if path == "/v1/traces":
            for group in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in group.scope_spans:
                    self.spans += [span.name for span in scope.spans]
                    self.trace_ids |= {span.trace_id.hex() for span in scope.spans}
        else:
            for group in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                for scope in group.scope_metrics:
                    self.metrics |= {metric.name for metric in scope.metrics}

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


@pytest.fixture
def collector() -> Iterator[Collector]:
    one = Collector()
    yield one
    one.stop()


def test_traces_and_metrics_go_to_the_collector_also_those_left_at_the_end(
    start_analyzer: Start, client: httpx.Client, collector: Collector
) -> None:
    service = start_analyzer(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    headers = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
    assert client.post(service.url, json=envelope(), headers=headers).status_code == 204
    service.terminate()
    assert service.wait() == 0
    assert {"POST /", "classify", "write result"} <= set(collector.spans)
    assert TRACE in collector.trace_ids
    assert {"http.server.request.duration", "sentiment.predictions"} <= collector.metrics

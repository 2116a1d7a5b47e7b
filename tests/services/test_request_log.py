"""Every chat becomes a row: what stands in it, and what does not."""

import base64
import hashlib
import json
from typing import Any

import httpx
import pytest

from catalog.limits.bigquery import PREDICTION_LOG
from services.common.prediction_log import SHAPE
from services.llm_backend.exchange import Exchange, Listener
from services.llm_backend.redaction import redacted
from services.local.storage_write import LocalStorageWrite
from tests.services.conftest import Model, Start

ACCOUNT = "shop@acme-web.iam.gserviceaccount.com"


def token(**claims: str) -> dict[str, str]:
    said = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return {"authorization": f"Bearer e30.{said}.SIGNATURE_REMOVED_BY_GOOGLE"}


def exchange() -> Exchange:
    return Exchange("qwen3-4b", "shop", "ask b@c.org", {}, response="told")


def test_the_columns_are_those_of_a_table_without_fields() -> None:
    assert tuple(column["name"] for column in PREDICTION_LOG) == SHAPE.columns


def test_tokens_are_counted_by_model_and_consumer_and_no_text_is_kept(
    start_logging: Start, warehouse: LocalStorageWrite, model: Model, client: httpx.Client
) -> None:
    service = start_logging()
    message = "Summarize this: it rained."
    url, headers = f"{service.url}/v1/chat", token(sub="1", email=ACCOUNT)
    answer = client.post(url, json={"message": message}, headers=headers).json()
    (row,) = warehouse.rows  # there before the answer is
    assert (row["model"], row["consumer"]) == ("qwen3-4b", ACCOUNT)
    assert row["prompt_tokens"] == answer["usage"]["prompt_tokens"] > 0
    assert row["completion_tokens"] == answer["usage"]["completion_tokens"] > 0
    assert row["response"] == f"sha256:{hashlib.sha256(answer['reply'].encode()).hexdigest()}"
    assert row["metadata"] == {"mode": "summarize", "stream": False, "cached": False}
    assert message not in json.dumps(warehouse.rows)


def test_a_person_is_no_address(
    start_logging: Start, warehouse: LocalStorageWrite, client: httpx.Client
) -> None:
    headers = token(sub="2", email="ann@acme.com")
    client.post(f"{start_logging().url}/v1/chat", json={"message": "Hi"}, headers=headers)
    assert warehouse.rows[0]["consumer"] == hashlib.sha256(b"2").hexdigest()[:16]


def test_a_stream_is_counted_too(
    start_logging: Start, warehouse: LocalStorageWrite, client: httpx.Client
) -> None:
    url = f"{start_logging(PREDICTIONS_CONTENT='texts').url}/v1/chat"
    whole = client.post(url, json={"message": "Mail a@b.org"}).json()
    client.post(url, json={"message": "Mail a@b.org", "stream": True})
    first, second = warehouse.rows
    assert second["first_token_ms"] <= second["latency_ms"]
    for key in ("prompt_tokens", "completion_tokens", "finish_reason", "prompt", "response"):
        assert first[key] == second[key]
    assert first["response"] == redacted(whole["reply"])
    assert json.loads(first["prompt"])[-1] == {"role": "user", "content": "Mail [EMAIL]"}


def test_what_the_model_fails_is_a_row_without_tokens(
    start_logging: Start, warehouse: LocalStorageWrite, client: httpx.Client
) -> None:
    service = start_logging(LLM_BASE_URL="http://127.0.0.1:9/v1", ATTEMPTS="1")
    assert client.post(f"{service.url}/v1/chat", json={"message": "Hi"}).status_code == 502
    (row,) = warehouse.rows
    assert row["metadata"]["error"] == "model_unreachable"
    assert "prompt_tokens" not in row


def test_answers_go_on_while_the_warehouse_is_away_and_the_loss_is_told(
    start_logging: Start, warehouse: LocalStorageWrite, client: httpx.Client
) -> None:
    warehouse.failing = True
    service = start_logging(PREDICTIONS_TIMEOUT_SECONDS="0.2", PREDICTIONS_WAIT_SECONDS="0")
    assert client.post(f"{service.url}/v1/chat", json={"message": "Hi"}).is_success
    assert service.wait_for_log(error_category="prediction_lost")["severity"] == "ERROR"
    assert client.get(f"{service.url}/readyz").json()["log"] == "failing"


@pytest.mark.parametrize(
    ("content", "percent", "prompt"),
    [
        ("none", 100, None),
        ("texts", 0, None),
        ("texts", 100, "ask [EMAIL]"),
        ("hashes", 100, f"sha256:{hashlib.sha256(b'ask b@c.org').hexdigest()}"),
    ],
)
def test_content_is_kept_as_asked_and_of_the_share_asked(
    content: str, percent: int, prompt: str | None
) -> None:
    row = exchange().row(content, percent)
    assert row["prompt"] == prompt
    assert set(row) == set(SHAPE.columns)


def test_a_share_is_about_that_share() -> None:
    kept = sum(exchange().is_in(25) for _ in range(4000))
    assert 800 < kept < 1200


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_stream_is_heard_however_it_is_cut(size: int) -> None:
    events: list[dict[str, Any] | str] = [
        {"choices": [{"delta": {"content": "Ja,\u00e9 "}}]},
        "not JSON",
        {"choices": [{"delta": {}, "finish_reason": "stop"}]},
        {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2, "details": {}}},
    ]
    said = [each if isinstance(each, str) else json.dumps(each) for each in events]
    sent = "".join(f"data: {each}\r\n\r\n" for each in [*said, "[DONE]"]).encode()
    heard = Exchange("m", "c", "", {})
    listener = Listener(heard)
    for at in range(0, len(sent), size):
        listener.take(sent[at : at + size])
    assert (heard.response, heard.finish_reason) == ("Ja,\u00e9 ", "stop")
    assert heard.usage == {"prompt_tokens": 3, "completion_tokens": 2}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("write to ann.lee+x@mail.acme.co.uk now", "write to [EMAIL] now"),
        ("card 4111 1111 1111 1111, ssn 078-05-1120", "card [CARD], ssn [SSN]"),
        ("DE89 3704 0044 0532 0130 00", "[IBAN]"),
        ("call +49 30 1234567 or (212) 555-0123", "call [PHONE] or [PHONE]"),
        ("host 10.0.0.7, key sk-abcdefghijklmnop1234", "host [ADDRESS], key [KEY]"),
        ("in 2026 it rained 12.5 mm on 3 days", "in 2026 it rained 12.5 mm on 3 days"),
    ],
)
def test_redaction_takes_what_has_a_form(text: str, kept: str) -> None:
    assert redacted(text) == kept

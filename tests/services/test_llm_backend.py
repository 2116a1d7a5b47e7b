import asyncio
import base64
import json
import socket
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.local.certificate import local_certificate
from services.local.redis_server import LocalRedis
from tests.services.conftest import Model, Start
from tests.services.harness import Service, free_port


def chat(client: httpx.Client, service: Service, message: str, **more: Any) -> httpx.Response:
    return client.post(f"{service.url}/v1/chat", json={"message": message, **more})


def category(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["category"]


def caller(subject: str) -> dict[str, str]:
    claims = base64.urlsafe_b64encode(json.dumps({"sub": subject}).encode()).decode().rstrip("=")
    return {"authorization": f"Bearer e30.{claims}.SIGNATURE_REMOVED_BY_GOOGLE"}


def test_a_chat_gets_the_models_reply_with_its_mode(
    start_backend: Start, model: Model, client: httpx.Client
) -> None:
    service = start_backend()
    answer = chat(client, service, "Summarize this: it rained.").json()
    assert answer["mode"] == "summarize"
    assert answer["model"] == "qwen3-4b"
    assert "it rained" in answer["reply"]
    assert answer["usage"]["total_tokens"] > 0
    assert not answer["cached"]
    line = service.wait_for_log(mode="summarize")
    assert line["httpRequest"]["status"] == 200
    assert line["model_ms"] > 0
    # Prompts are the callers' own: no log has them.
    assert "it rained" not in json.dumps(service.log)


@pytest.mark.parametrize(
    ("message", "more", "mode"),
    [
        ("Hello there", {}, "chat"),
        ("Give me a TL;DR of it", {}, "summarize"),
        ("Translate 'cat' into French", {}, "translate"),
        ("Extract all names as JSON", {}, "extract"),
        ("Why does ```x = 1``` fail?", {}, "code"),
        ("Hello there", {"mode": "code"}, "code"),
    ],
)
def test_the_mode_shapes_the_prompt(
    start_backend: Start,
    model: Model,
    client: httpx.Client,
    message: str,
    more: dict[str, Any],
    mode: str,
) -> None:
    answer = chat(client, start_backend(), message, **more)
    assert answer.json()["mode"] == mode
    sent = model.requests[-1]
    assert [turn["role"] for turn in sent["messages"]] == ["system", "user"]
    assert ("response_format" in sent) == (mode == "extract")
    assert sent["max_tokens"] > 0


def test_recent_history_goes_along(
    start_backend: Start, model: Model, client: httpx.Client
) -> None:
    history = [{"role": "user", "content": f"turn {n}"} for n in range(5)]
    chat(client, start_backend(MAX_HISTORY="2"), "And now?", history=history)
    contents = [turn["content"] for turn in model.requests[-1]["messages"][1:]]
    assert contents == ["turn 3", "turn 4", "And now?"]


def test_a_stream_passes_as_it_comes(
    start_backend: Start, model: Model, client: httpx.Client
) -> None:
    service = start_backend()
    body = {"message": "[[pause 0.1]] tell me", "stream": True}
    with client.stream("POST", f"{service.url}/v1/chat", json=body) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["x-mode"] == "chat"
        pieces = list(response.iter_text())
    assert "[DONE]" not in pieces[0]  # not gathered up
    events = [line for line in "".join(pieces).split("\n\n") if line]
    assert events[-1] == "data: [DONE]"
    words = [
        choice["delta"].get("content", "")
        for event in events[:-1]
        for choice in json.loads(event.removeprefix("data: "))["choices"]
    ]
    assert "".join(words).endswith("tell me")
    assert service.wait_for_log(stream=True)["first_byte_ms"] >= 0


def test_a_stream_that_breaks_off_says_so_at_its_end(
    start_backend: Start, model: Model, client: httpx.Client
) -> None:
    service = start_backend()
    text = chat(client, service, "[[drop 2]] tell me", stream=True).text
    last = text.strip().split("\n\n")[-1]
    assert last.startswith("event: error\ndata: ")
    assert json.loads(last.split("data: ")[1])["error"]["category"] == "model_broke_off"
    assert service.wait_for_log(error_category="model_broke_off")


def test_a_caller_that_leaves_ends_its_stream(
    start_backend: Start, model: Model, client: httpx.Client
) -> None:
    service = start_backend()
    body = {"message": "[[pause 0.2]] tell me a long story", "stream": True}
    with client.stream("POST", f"{service.url}/v1/chat", json=body) as response:
        next(response.iter_bytes())
    assert service.wait_for_log(error_category="client_gone")
    model.wait_until_left()


def test_a_caller_that_leaves_ends_its_chat_and_makes_room(
    start_backend: Start, model: Model, client: httpx.Client
) -> None:
    service = start_backend(MAX_CONCURRENCY="1", QUEUE_SECONDS="60")
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{service.url}/v1/chat", json={"message": "[[delay 5]]"}, timeout=1)
    line = service.wait_for_log(error_category="client_gone")
    assert line["httpRequest"]["status"] == 499
    assert line["duration_ms"] < 5_000
    model.wait_until_left()
    assert chat(client, service, "hi").status_code == 200


def test_a_caller_that_does_not_read_is_cut_off(start_backend: Start, model: Model) -> None:
    service = start_backend(WRITE_TIMEOUT_SECONDS="0.5", MAX_MESSAGE_CHARACTERS="1000000")
    body = json.dumps({"message": "a " * 40_000, "stream": True}).encode()
    head = f"POST /v1/chat HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n"
    with closing(socket.socket()) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.connect(("127.0.0.1", service.port))
        line.sendall(head.encode() + b"Content-Type: application/json\r\n\r\n" + body)
        assert service.wait_for_log(error_category="slow_client")


def test_what_may_pass_is_tried_again(
    start_backend: Start, model: Model, client: httpx.Client
) -> None:
    service = start_backend()
    assert chat(client, service, "[[fail 503 2]] hi").status_code == 200
    assert chat(client, service, "[[fail 429 1]] hi", stream=True).status_code == 200
    assert len(model.requests) == 5


def test_failures_of_the_model_have_their_status_and_category(
    start_backend: Start, model: Model, client: httpx.Client
) -> None:
    service = start_backend(READ_TIMEOUT_SECONDS="0.3", ATTEMPTS="2")
    found = {
        message: category(chat(client, service, message))
        for message in (
            "[[fail 503 9]]",
            "[[fail 429 9]]",
            "[[fail 400 9]]",
            "[[fail 401 9]]",
            "[[fail 403 9]]",
            "[[delay 2]]",
            "[[garbage]]",
            "[[odd]]",
        )
    }
    assert found == {
        "[[fail 503 9]]": (503, "model_busy"),
        "[[fail 429 9]]": (429, "model_busy"),
        "[[fail 400 9]]": (422, "model_refused"),
        "[[fail 401 9]]": (502, "model_auth"),
        "[[fail 403 9]]": (403, "model_refused"),
        "[[delay 2]]": (504, "model_timeout"),
        "[[garbage]]": (502, "model_error"),
        "[[odd]]": (502, "model_error"),
    }
    streamed = chat(client, service, "[[garbage]]", stream=True)
    assert category(streamed) == (502, "model_error")
    unended = chat(client, service, "[[unended]]", stream=True)
    assert unended.text.endswith('without its last event"}}\n\n')
    assert "model_broke_off" in unended.text
    assert service.wait_for_log(error_category="model_timeout")


def test_a_model_that_is_not_there_gives_502(start: Start, client: httpx.Client) -> None:
    nobody = f"http://127.0.0.1:{free_port()}/v1"
    service = start("llm_backend", {"LLM_BASE_URL": nobody, "LLM_MODEL": "m", "ATTEMPTS": "2"})
    assert category(chat(client, service, "hi")) == (502, "model_unreachable")
    assert category(chat(client, service, "hi", stream=True)) == (502, "model_unreachable")


def test_bad_requests_are_refused_with_their_category(
    start_backend: Start, model: Model, client: httpx.Client
) -> None:
    service = start_backend(LLM_MODELS='["llama-3.1-8b"]', MAX_BODY_BYTES="50000")
    url = f"{service.url}/v1/chat"
    assert category(client.post(url, content=b"hi")) == (415, "wrong_content_type")
    headers = {"content-type": "application/json"}
    assert category(client.post(url, content=b"\xff", headers=headers)) == (
        422,
        "malformed_request",
    )
    assert category(client.post(url, json={"text": "hi"})) == (422, "malformed_request")
    assert category(chat(client, service, "hi", mode="poetry")) == (422, "unknown_mode")
    assert category(chat(client, service, "hi", model="gpt")) == (422, "unknown_model")
    assert category(chat(client, service, "a" * 33_000)) == (422, "message_too_long")
    assert category(chat(client, service, "a" * 60_000)) == (413, "body_too_large")
    assert model.requests == []
    assert chat(client, service, "hi", model="llama-3.1-8b").json()["model"] == "llama-3.1-8b"
    lone_surrogate = client.post(url, content=b'{"message": "\\ud800"}', headers=headers)
    assert category(lone_surrogate) == (422, "malformed_request")


def test_each_caller_has_its_own_rate(
    start_backend: Start, model: Model, client: httpx.Client
) -> None:
    service = start_backend(RATE_LIMIT="2/hour")

    def ask(who: str) -> httpx.Response:
        return client.post(f"{service.url}/v1/chat", json={"message": "hi"}, headers=caller(who))

    assert [ask("ann").status_code for _ in range(2)] == [200, 200]
    refused = ask("ann")
    assert category(refused) == (429, "rate_limited")
    assert 0 < int(refused.headers["retry-after"]) <= 3600
    assert ask("bob").status_code == 200
    assert service.wait_for_log(error_category="rate_limited")


def test_instances_share_rates_and_replies_in_redis(
    start_backend: Start, model: Model, client: httpx.Client, redis_url: str
) -> None:
    settings = {"REDIS_URL": redis_url, "RATE_LIMIT": "3/hour", "REDIS_TIMEOUT_SECONDS": "10"}
    one, other = start_backend(**settings), start_backend(**settings)
    assert not chat(client, one, "hi").json()["cached"]
    assert chat(client, other, "hi").json()["cached"]
    assert not chat(client, other, "hi", mode="code").json()["cached"]
    assert category(chat(client, one, "hi")) == (429, "rate_limited")
    assert len(model.requests) == 2
    assert client.get(f"{one.url}/readyz").json()["cache"] == "ok"


def test_replies_are_kept_over_tls_with_a_password_that_is_in_no_log(
    start_backend: Start, model: Model, client: httpx.Client, tmp_path: Path
) -> None:
    authority = local_certificate(tmp_path)
    redis = LocalRedis("s3cret", authority)
    redis.start()
    settings = {
        "REDIS_URL": redis.url,
        "REDIS_PASSWORD": "s3cret",
        "REDIS_CA_FILE": str(authority),
        "REDIS_TIMEOUT_SECONDS": "10",
        "RATE_LIMIT": "3/hour",
    }
    try:
        service = start_backend(**settings)
        assert [chat(client, service, "hi").json()["cached"] for _ in range(2)] == [False, True]
        other = start_backend(**settings)
        assert chat(client, other, "hi").json()["cached"]
        assert category(chat(client, other, "hi")) == (429, "rate_limited")
        assert "s3cret" not in json.dumps(service.log)
        for wrong in ({"REDIS_PASSWORD": "other"}, {"REDIS_CA_FILE": ""}):
            service = start_backend(**{**settings, **wrong})
            assert [chat(client, service, "hi").json()["cached"] for _ in range(2)] == [False] * 2
            assert service.wait_for_log(error_category="cache_unavailable")
    finally:
        redis.stop()


def test_without_its_redis_the_service_goes_on(
    start_backend: Start, model: Model, client: httpx.Client
) -> None:
    service = start_backend(REDIS_URL=f"redis://127.0.0.1:{free_port()}", RATE_LIMIT="3/hour")
    assert [chat(client, service, "hi").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert service.wait_for_log(error_category="cache_unavailable")["severity"] == "WARNING"
    assert service.wait_for_log(error_category="rate_limit_unavailable")
    assert client.get(f"{service.url}/readyz").status_code == 200


def test_the_key_comes_from_a_mounted_secret_and_is_in_no_log(
    start_backend: Start, model: Model, client: httpx.Client, tmp_path: Path
) -> None:
    (tmp_path / "llm_api_key").write_text("s3cret-key")
    service = start_backend(LLM_AUTH="api_key", SECRETS_DIR=str(tmp_path))
    chat(client, service, "hi")
    assert model.headers[-1]["authorization"] == "Bearer s3cret-key"
    assert "s3cret-key" not in json.dumps(service.log)


def test_a_new_version_of_a_mounted_key_is_used_without_a_restart(
    start_backend: Start, model: Model, client: httpx.Client, tmp_path: Path
) -> None:
    file = tmp_path / "key"
    file.write_text("first\n")
    service = start_backend(LLM_AUTH="api_key", LLM_API_KEY_FILE=str(file), LLM_API_KEY_SECONDS="0")
    shown: list[str] = []
    for content in (None, "second", ""):
        if content is not None:
            file.write_text(content)
        assert chat(client, service, "hi").status_code == 200
        shown.append(model.headers[-1]["authorization"])
    assert shown == ["Bearer first", "Bearer second", "Bearer second"]
    assert service.wait_for_log(severity="WARNING")["message"].endswith("stays")


def test_a_key_file_without_a_key_stops_the_start(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.touch()
    settings = {"LLM_BASE_URL": "http://h/v1", "LLM_MODEL": "m", "LLM_AUTH": "api_key"}
    service = start("llm_backend", settings | {"LLM_API_KEY_FILE": str(file)}, ready=False)
    assert service.wait() == 2
    assert "is empty" in "".join(str(line["message"]) for line in service.log)


def test_a_missing_key_stops_the_start(start: Start) -> None:
    settings = {"LLM_BASE_URL": "http://h/v1", "LLM_MODEL": "m", "LLM_AUTH": "api_key"}
    service = start("llm_backend", settings, ready=False)
    assert service.wait() == 2
    assert "LLM_API_KEY" in "".join(str(line["message"]) for line in service.log)


def test_an_authority_for_a_cache_without_tls_stops_the_start(start: Start) -> None:
    settings = {"LLM_BASE_URL": "http://h/v1", "LLM_MODEL": "m"}
    cache = {"REDIS_URL": "redis://h", "REDIS_CA_FILE": "/none.pem"}
    service = start("llm_backend", settings | cache, ready=False)
    assert service.wait() == 2
    assert "rediss://" in "".join(str(line["message"]) for line in service.log)


def test_under_load_every_chat_gets_its_own_reply(start_backend: Start, model: Model) -> None:
    service = start_backend(RATE_LIMIT="1000/minute", MAX_CONCURRENCY="20", QUEUE_SECONDS="30")

    async def ask(client: httpx.AsyncClient, number: int) -> bool:
        body = {"message": f"number {number}", "stream": number % 2 == 0}
        answer = await client.post(f"{service.url}/v1/chat", json=body)
        words = "".join(
            choice["delta"].get("content", "")
            for event in answer.text.split("\n\n")
            if body["stream"] and event.startswith("data: {")
            for choice in json.loads(event.removeprefix("data: "))["choices"]
        )
        reply = words or answer.json()["reply"]
        return answer.status_code == 200 and reply.endswith(f"number {number}")

    async def ask_all() -> list[bool]:
        limits = httpx.Limits(max_connections=100)
        async with httpx.AsyncClient(timeout=60, limits=limits) as client:
            return list(await asyncio.gather(*(ask(client, number) for number in range(100))))

    assert all(asyncio.run(ask_all()))


def test_sigterm_lets_a_stream_finish(
    start_backend: Start, model: Model, client: httpx.Client
) -> None:
    service = start_backend()
    body = {"message": "[[pause 0.1]] tell me", "stream": True}
    with client.stream("POST", f"{service.url}/v1/chat", json=body) as response:
        pieces = response.iter_text()
        text = next(pieces)
        service.terminate()
        text += "".join(pieces)
    assert text.endswith("data: [DONE]\n\n")
    assert service.wait() == 0


def test_a_stream_longer_than_the_stop_is_cut_and_noted(
    start_backend: Start, model: Model, client: httpx.Client
) -> None:
    service = start_backend(SHUTDOWN_SECONDS="1")
    body = {"message": "[[pause 5]] tell me", "stream": True}
    with client.stream("POST", f"{service.url}/v1/chat", json=body) as response:
        pieces = response.iter_bytes()
        next(pieces)
        service.terminate()
        assert service.wait() == 0
    assert service.wait_for_log(error_category="cut_at_stop")

"""A small real model answers for simulated servers; their metrics count its tokens."""

import json
import re
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from emulator.gateway import real_model, serve
from emulator.gateway.kv_cache import BLOCK_TOKENS
from emulator.gateway.model_servers import Replica, model_servers
from emulator.gateway.programs import LOOPBACK
from emulator.ports import free_ports
from launcher import gateway
from launcher.problem import LaunchError
from tests.engine.conftest import Rehearsal
from tests.kubernetes.served import answer_of, said_until, served

MODEL = "qwen3-4b"
QUESTION: list[dict[str, Any]] = [{"role": "user", "content": "Name three colours."}]
LONG = [{"role": "user", "content": "word " * 2 * real_model.CONTEXT_TOKENS}]
PATIENCE_SECONDS = 120

installed = pytest.mark.skipif(
    not real_model.installed(),
    reason="NO REAL MODEL ANSWERED: `python3 tools/smollm2.py` installs one, once",
)


@pytest.fixture(scope="module")
def replica(tmp_path_factory: pytest.TempPathFactory) -> Generator[Replica]:
    (port,) = free_ports(1)
    with real_model.real_model(tmp_path_factory.mktemp("model")) as model:
        replica = Replica("pod-0", LOOPBACK, port, MODEL, answers=model)
        with model_servers([replica]):
            yield replica


def ask(replica: Replica, messages: object = QUESTION, **more: Any) -> httpx.Response:
    return httpx.post(
        f"http://{replica.address}:{replica.port}/v1/chat/completions",
        json={"model": MODEL, "messages": messages, **more},
        timeout=PATIENCE_SECONDS,
    )


def counted(replica: Replica, metric: str) -> float:
    (value,) = re.findall(rf"^vllm:{metric}\{{.*\}} (\S+)$", replica.metrics(), re.MULTILINE)
    return float(value)


@installed
def test_text_and_tokens_are_the_model_s(replica: Replica) -> None:
    names = ("prompt_tokens_total", "generation_tokens_total")
    before = [counted(replica, name) for name in names]
    answer = ask(replica).json()
    (choice,) = answer["choices"]
    text = choice["message"]["content"]
    assert text
    assert "simulated" not in text
    assert (answer["model"], answer["system_fingerprint"]) == (MODEL, "pod-0")
    # More than its words: the model's template has a system prompt, and words have parts.
    usage = answer["usage"]
    assert usage["prompt_tokens"] > 20
    assert len(text.split()) <= usage["completion_tokens"] <= real_model.MOST_TOKENS
    whole = usage["completion_tokens"] < real_model.MOST_TOKENS
    assert choice["finish_reason"] == ("stop" if whole else "length")
    after = [counted(replica, name) for name in names]
    assert [now - then for now, then in zip(after, before, strict=True)] == [
        usage["prompt_tokens"],
        usage["completion_tokens"],
    ]
    assert replica.running.total() == replica.cache.usage == 0


@installed
def test_an_answer_is_streamed_token_by_token(replica: Replica) -> None:
    asked = {"stream": True, "stream_options": {"include_usage": True}, "max_tokens": 24}
    *events, end = ask(replica, **asked).text.strip().split("\n\n")
    assert end == "data: [DONE]"
    documents = [json.loads(event.removeprefix("data: ")) for event in events]
    *parts, last = [each["choices"][0] for each in documents if each["choices"]]
    assert "".join(each["delta"]["content"] for each in parts)
    assert len(parts) > 1
    tokens = documents[-1]["usage"]["completion_tokens"]
    # A letter may take several, and one may end it.
    assert len(parts) <= tokens <= 24
    assert last["delta"] == {}
    assert last["finish_reason"] == ("length" if tokens == 24 else "stop")


@installed
def test_the_prefix_cache_holds_the_model_s_tokens(replica: Replica) -> None:
    said = [{"role": "system", "content": "Count: " + " ".join(map(str, range(40)))}, *QUESTION]
    first, second = (ask(replica, said, max_tokens=1).json()["usage"] for _ in range(2))
    cached = second["prompt_tokens_details"]["cached_tokens"]
    assert first["prompt_tokens"] - BLOCK_TOKENS <= cached < first["prompt_tokens"]
    assert first["prompt_tokens"] > 70, "a number has more than one"


@installed
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("messages", [LONG, [{"role": "user", "content": [{"type": "hologram"}]}]])
def test_what_the_model_can_t_take_is_refused(
    replica: Replica, messages: object, *, stream: bool
) -> None:
    answer = ask(replica, messages, stream=stream)
    assert 400 <= answer.status_code < 500
    assert answer.json()["error"]["message"]
    assert replica.running.total() == 0


@installed
@pytest.mark.skipif(bool(serve.missing()), reason="NO REQUEST PATH HAD A REAL MODEL: not built")
def test_serve_lets_it_answer_and_ends_with_it(brought_up: Callable[[str], Rehearsal]) -> None:
    dev = brought_up("dev")
    with served(dev, "--answers", "model") as process:
        said = said_until(process, "requests, until Ctrl-C")
        assert f"{real_model.NAME} answers, a stand-in for {MODEL}" in said
        answer = answer_of(said, MODEL)
        assert "simulated" not in answer["choices"][0]["message"]["content"]
        assert f"pod {answer['system_fingerprint']}" in said_until(process, "200  ")
        (python,) = (
            each
            for each in psutil.Process(process.pid).children(recursive=True)
            if str(real_model.PYTHON) in each.cmdline()
        )
        python.kill()
        assert process.wait(PATIENCE_SECONDS) == 1
        assert process.stdout is not None
        assert f"error: {real_model.NAME} has ended" in process.stdout.read()
    page = (dev.places.home / "requests.html").read_text()
    assert f"{real_model.NAME} answers, a stand-in for {MODEL}" in page


def test_without_it_who_asks_for_it_is_told(
    brought_up: Callable[[str], Rehearsal], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(serve, "missing", list[str])
    monkeypatch.setattr(real_model, "PYTHON", tmp_path / "python")
    with pytest.raises(LaunchError, match=r"ANSWERS: found model, and SmolLM2.*make serve ANSWERS"):
        gateway.serve(brought_up("dev").places, wanted=gateway.Wanted(answers=gateway.MODEL))

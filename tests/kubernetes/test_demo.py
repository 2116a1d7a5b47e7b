"""`make demo` sends requests to the large models too, where the path to them can be run."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from emulator.gateway import serve
from emulator.runtime.model_endpoint import ModelEndpoint
from emulator.runtime.services import service_of
from launcher.served_demo import show_path
from sandbox.gcp.effects.cloud_run import SERVICE
from sandbox.world import World
from tests.engine.conftest import Rehearsal
from tests.kubernetes.served import said_until, served

APP = "gcp:apigee/developerApp:DeveloperApp"
LARGE = ("llama-3.3-70b", "llama-3.1-8b", "qwen3-4b")


@pytest.mark.skipif(
    bool(serve.missing()),
    reason="NO REQUEST OF A DEMO WENT ANYWHERE: `make test-kubernetes` builds its programs, once",
)
def test_consumers_and_services_get_answers_of_large_models(
    brought_up: Callable[[str], Rehearsal],
) -> None:
    prod = brought_up("prod")
    with served(prod, operation="demo") as process:
        before = said_until(process, "requests to 6 large models of prod:")
        assert "chats in the request log" in before
        assert "base URL while it lasts: https://127.0.0.1:" in before
        said = said_until(process, "Next: ")
        assert process.wait() == 0
    shown, _, answered = said.partition("requests of its services:")
    for model in LARGE:
        assert f"{model}: route " in shown
    assert "404  " in shown
    assert "scores 4 (queue-scorer 1, kv-cache-utilization-scorer 1, prefix" in shown
    assert "), the best of 2; next " in shown
    assert "WRONG" not in answered
    assert "first (model): This is a simulated answer" in answered
    page = (prod.places.home / "demo.html").read_text()
    assert page.count("<td>chats in the request log</td><td>3</td>") == 2
    assert 'href="requests.html"' in page
    requests = (prod.places.home / "requests.html").read_text()
    assert "<td>google/gemini-2.5-flash</td>" in requests


def test_programs_that_are_not_built_are_named(
    brought_up: Callable[[str], Rehearsal],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(serve, "missing", lambda: ["epp"])
    dev = brought_up("dev").places
    capsys.readouterr()
    show_path(dev)
    (line,) = capsys.readouterr().out.splitlines()
    assert "left out: its large models: epp missing; `make serve STACK=dev` builds" in line
    assert not (dev.home / "requests.html").exists()


def test_a_stack_without_a_gateway_has_nothing_to_show(
    brought_up: Callable[[str], Rehearsal], capsys: pytest.CaptureFixture[str]
) -> None:
    dev = brought_up("dev").places
    checkpoint = json.loads(dev.checkpoint.read_text())
    latest = checkpoint["checkpoint"]["latest"]
    latest["resources"] = [
        each for each in latest["resources"] if not each["type"].endswith(":Gateway")
    ]
    dev.checkpoint.write_text(json.dumps(checkpoint))
    capsys.readouterr()
    show_path(dev)
    assert capsys.readouterr().out == ""


def test_services_that_ask_the_gateway_are_led_to_it_alone(
    brought_up: Callable[[str], Rehearsal],
) -> None:
    with World(brought_up("prod").places.world) as world:
        (made,) = (each for each in world.by_type(SERVICE) if each.inputs["name"] == "llm-backend")
        service = service_of(world, made)
        (app,) = (each for each in world.by_type(APP) if "llm-backend" in each.inputs["name"])
    keys = [each["consumerKey"] for each in app.outputs["credentials"]]
    names, models = ("inference.acme.internal",), ("llama-3.1-8b",)
    gateway = ModelEndpoint("https://127.0.0.1:1/v1", Path("ca.pem"), names, models)
    assert gateway.is_asked_by(service)
    vertex = {"LLM_BASE_URL": "https://us-central1-aiplatform.googleapis.com/v1/endpoints/openapi"}
    for other in (vertex, {"LLM_MODEL": "elsewhere"}):
        assert not gateway.is_asked_by(
            replace(service, environment={**service.environment, **other})
        )
    assert service.files[service.environment["LLM_API_KEY_FILE"]] in keys
    assert not {"LLM_AUTH", "LLM_API_KEY_FILE"} & gateway.variables().keys()

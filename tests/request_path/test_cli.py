"""`make route`: what is printed, and how it ends."""

import json
import re
from pathlib import Path

import pytest

from launcher.route import main
from request_path.explain import journeys
from tests.engine.conftest import Rehearsal
from tests.request_path.deployments import across_nodes, changed, objects

QWEN_PODS = "qwen3-4b-l4-spot-us-central1-deployment"


@pytest.fixture(autouse=True)
def sandbox(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFERENCE_SANDBOX", str(home))


def test_a_request_is_explained_hop_by_hop(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--stack", "prod", "--model", "llama-3.3-70b"]) == 0
    printed = capsys.readouterr().out
    central, own, eastern, _ = printed.split("\n\n")
    assert "us-east4: POST https://inference.acme.internal/v1/chat/completions" in eastern
    lines = [line.split(None, 1)[1] for line in central.splitlines() if line[3:5].strip().isdigit()]
    order = [
        ("DNS name", "inference.acme.internal: zone"),
        ("DNS name", "the nearest that is healthy of us-central1, us-east4"),
        ("cross-region frontend", "in network apps"),
        ("cross-region frontend", "in network apps"),
        ("backend service", "the nearest that works of us-central1, us-east4"),
        ("backend service", "left out for 30 s after 5 failed answers"),
        ("service attachment", "acme-partner-apps (2)"),
        ("listener", "HTTPS 443"),
        ("body-based router", "inference/inference-us-central1-bbr"),
        ("HTTPRoute", "x-gateway-model-name = llama-3.3-70b"),
        ("security policy", "none"),
        ("extension chain", 'request.path.startsWith("/")'),
        ("request extension", "api-management (API management): fails closed"),
        ("request extension", "template default-prompt; fails closed after 10s"),
        ("pool", "inference/llama-3-3-70b-h100: 90 %"),
        ("backend policy", "600 s"),
        ("endpoint picker", "port 9002"),
        ("health check", "/health port 8000"),
        ("replicas", "4 x vllm on port 8000, nodes h100-us-central1"),
        ("pool", "inference/llama-3-3-70b-h100-flex: 10 %"),
        ("response extension", "template default-response"),
        ("response extension", "api-management"),
    ]
    position = 0
    for step, text in order:
        position = next(
            index
            for index, line in enumerate(lines)
            if index >= position and line.startswith(step) and text in line
        )
    # The regional name leads through that region's endpoint, past what stands before all regions.
    assert "us-central1: POST https://us-central1.inference.acme.internal/v1/chat" in own
    assert "consumer endpoint" in own
    assert "cross-region" not in own


def test_a_model_of_another_host_is_followed_to_that_host(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--stack", "prod", "--model", "google/gemini-2.5-flash"]) == 0
    hops = re.findall(r"^ +[0-9]+  (.*)$", capsys.readouterr().out.split("\n\n")[0], re.MULTILINE)
    assert any(hop.startswith("request extension") and "model-armor" in hop for hop in hops)
    assert any(hop.startswith("proxy") and "2-8 x envoy" in hop for hop in hops)
    assert any(
        "us-central1-aiplatform.googleapis.com:443/v1/projects/acme-inference-prod/" in hop
        for hop in hops
        if hop.startswith("external server")
    )


def test_the_objectives_a_client_may_choose_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--stack", "prod", "--model", "llama-3.1-8b"]) == 0
    assert (
        "header x-gateway-inference-objective: llama-3-1-8b-l4-batch (priority -10), "
        "llama-3-1-8b-l4-interactive (priority 10)"
    ) in capsys.readouterr().out


def test_the_least_and_the_most_replicas_of_an_autoscaled_model_are_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--stack", "prod", "--model", "qwen3-4b"]) == 0
    printed = capsys.readouterr().out
    assert "2-4 x vllm on port 8000" in printed
    assert "1 x vllm" not in printed


def test_the_nodes_of_a_replica_are_shown(rehearsals: dict[str, Rehearsal]) -> None:
    spanning = changed(rehearsals["dev"].resources(), across_nodes(QWEN_PODS, 2))
    [way] = journeys(spanning, "qwen3-4b", "/v1/completions")
    replicas = next(hop for hop in way.hops if hop.step == "replicas")
    assert replicas.name == "LeaderWorkerSet inference/qwen3-4b-l4-spot-us-central1"
    assert replicas.detail.endswith("2 for each replica")


def test_the_policy_before_the_backends_is_shown(rehearsals: dict[str, Rehearsal]) -> None:
    [way] = journeys(objects(rehearsals["services"].resources()), "qwen3-4b", "/v1/completions")
    [policy] = [hop for hop in way.hops if hop.step == "security policy"]
    assert (policy.name, policy.detail) == ("inference-us-central1", "2 rules in us-central1")


def test_a_guardrail_in_the_pod_is_shown_both_ways(rehearsals: dict[str, Rehearsal]) -> None:
    found = objects(rehearsals["services"].resources())
    [way] = journeys(found, "llama-3.2-1b", "/v1/completions")
    assert [hop.step for hop in way.hops][-2:] == ["guardrail in the pod", "replicas"]
    assert [(hop.step, hop.name) for hop in way.answer] == [
        ("guardrail in the pod", "guardrail"),
        ("response extension", "guardrail (guardrail service)"),
        ("response extension", "api-management (API management)"),
    ]


def test_an_adapter_takes_the_way_of_its_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--stack", "prod", "--model", "topic-control"]) == 0
    assert "replicas            Deployment inference/llama-3-1-8b-l4-" in capsys.readouterr().out


def test_all_ways_are_checked_without_a_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--stack", "prod"]) == 0
    assert capsys.readouterr().out == "prod: 6 models, 8 routes, 2 gateways: 0 findings\n"


def test_a_path_that_no_route_takes_ends_in_404(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--stack", "dev", "--model", "qwen3-4b", "--path", "/metrics"]) == 1
    assert "no route takes this request: the answer is 404" in capsys.readouterr().out


def test_an_unknown_model_lists_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--stack", "prod", "--model", "qwen3-4"]) == 1
    assert capsys.readouterr().err == (
        "error: no model named 'qwen3-4' (did you mean qwen3-4b?); models: content-safety, "
        "google/gemini-2.5-flash, llama-3.1-8b, llama-3.3-70b, qwen3-4b, topic-control\n"
    )


def test_json_holds_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--stack", "dev", "--model", "qwen3-4b", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    [journey] = printed["journeys"]
    assert journey["arrives"]
    assert journey["hops"][-1]["step"] == "replicas"
    assert printed["findings"] == []


def test_findings_end_with_an_error(
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    state = Path("state/.pulumi/stacks/inference/dev.json")
    text = (home / "dev" / state).read_text()
    broken = tmp_path / "dev" / state
    broken.parent.mkdir(parents=True)
    broken.write_text(re.sub(r'("failOpen": ?)false', r"\1true", text))
    monkeypatch.setenv("INFERENCE_SANDBOX", str(tmp_path))
    assert main(["--stack", "dev"]) == 1
    printed = capsys.readouterr().out
    assert (
        "finding [fail-open] inference-us-central1-extension: extension model-armor lets requests "
        "and answers pass when it doesn't answer (failOpen)\n" in printed
    )
    assert main(["--stack", "dev", "--json"]) == 1
    [finding] = json.loads(capsys.readouterr().out)["findings"]
    assert finding["rule"] == "ai-guardrail-on-every-path"


@pytest.mark.parametrize("text", [None, "{", '{"checkpoint": {"latest": {"resources": null}}}'])
def test_without_a_deployment_it_says_what_to_do(
    text: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if text is not None:
        state = tmp_path / "dev/state/.pulumi/stacks/inference/dev.json"
        state.parent.mkdir(parents=True)
        state.write_text(text)
    monkeypatch.setenv("INFERENCE_SANDBOX", str(tmp_path))
    assert main(["--stack", "dev", "--model", "qwen3-4b"]) == 1
    assert "make up STACK=dev" in capsys.readouterr().err


def test_an_unknown_stack_names_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--stack", "staging"]) == 1
    assert "stacks: dev, estate, mlops, prod" in capsys.readouterr().err


def test_google_cloud_is_asked_by_the_ordinary_cli(
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    state = json.loads((home / "dev/state/.pulumi/stacks/inference/dev.json").read_text())
    exported = tmp_path / "exported.json"
    exported.write_text(json.dumps({"version": 3, "deployment": state["checkpoint"]["latest"]}))
    command = tmp_path / "pulumi"
    command.write_text(f'#!/bin/sh\n[ "$*" = "stack export --stack dev" ] && cat {exported}\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert main(["--stack", "dev", "--cloud", "gcp"]) == 0
    assert "dev: 1 model, " in capsys.readouterr().out


def test_google_cloud_without_a_login_says_what_the_cli_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = tmp_path / "pulumi"
    command.write_text("#!/bin/sh\necho 'error: please log in' >&2\nexit 255\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert main(["--stack", "dev", "--cloud", "gcp"]) == 1
    assert "error: please log in" in capsys.readouterr().err

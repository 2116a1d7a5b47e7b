"""What every request passes, on the real engine: the chain's order, and each alternative in it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from launcher import operations
from launcher.problem import LaunchError
from tests.engine.conftest import Rehearsal

pytestmark = pytest.mark.usefixtures("engine")

EXTENSION = "kubernetes:networking.gke.io/v1:GCPTrafficExtension"
ATTACHMENT = "gcp:compute/serviceAttachment:ServiceAttachment"
EVERY_PATH = {"celExpressions": [{"celMatcher": 'request.path.startsWith("/")'}]}


def _chain(rehearsal: Rehearsal) -> dict[str, Any]:
    (extension,) = rehearsal.resources(EXTENSION)
    (chain,) = extension["outputs"]["spec"]["extensionChains"]
    return chain


def _names(rehearsal: Rehearsal) -> list[str]:
    return [extension["name"] for extension in _chain(rehearsal)["extensions"]]


def _types(rehearsal: Rehearsal) -> set[str]:
    return {resource["type"] for resource in rehearsal.resources()}


def _requires(rehearsal: Rehearsal, of_type: str, needed: str) -> bool:
    """Return whether every resource of a type waits, over others, for one of the needed type."""
    known = {resource["urn"]: resource for resource in rehearsal.resources()}

    def reaches(urn: str, seen: set[str]) -> bool:
        resource = known.get(urn)
        if resource is None or urn in seen:
            return False
        seen.add(urn)
        if resource["type"] == needed:
            return True
        return any(reaches(each, seen) for each in resource.get("dependencies", []))

    found = rehearsal.resources(of_type)
    return bool(found) and all(reaches(each["urn"], set()) for each in found)


def _with_new_organization(config: dict[str, Any]) -> None:
    config["api_management"] = {
        "apigee": {
            "organization": "new",
            "authentication": "jwt",
            "jwt": {
                "issuer": "https://id.acme.com",
                "audience": "inference",
                "jwks_uri": "https://id.acme.com/keys",
            },
            "consumers": {"apps": {"client_id": "apps-client", "requests_per_minute": 60}},
        }
    }
    config["secrets"] = {"token": {}}
    config["services"]["llm-backend"] |= {
        "environment": {"LLM_AUTH": "api_key"},
        "secrets": {"LLM_API_KEY": "token"},
    }


def _with_services(config: dict[str, Any]) -> None:
    config["api_management"] = {
        "extension": {
            "image": "us-central1-docker.pkg.dev/acme-inference-dev/services/apim:1.0",
            "port": 50051,
        }
    }
    config["guardrails"] = {
        "default": {
            "service": {
                "image": "us-central1-docker.pkg.dev/acme-inference-dev/services/nemo:1.0",
                "port": 50051,
                "memory": "4Gi",
            }
        }
    }


def _at_the_replica(config: dict[str, Any]) -> None:
    del config["api_management"]
    config["guardrails"] = {
        "default": {
            "at": "replica",
            "service": {
                "image": "us-central1-docker.pkg.dev/acme-inference-dev/services/nemo-proxy:1.0",
                "port": 8080,
            },
        }
    }


def _with_a_service_of_others(config: dict[str, Any]) -> None:
    config["api_management"] = {"extension": {"service": "shared-apim", "port": 50051}}


@pytest.fixture(scope="module")
def dev(rehearsal_of: Callable[[str], Rehearsal]) -> Rehearsal:
    """Return one stack that goes from each alternative to the next, as its owner would."""
    return rehearsal_of("dev")


def _up(rehearsal: Rehearsal, change: Callable[[dict[str, Any]], None]) -> None:
    rehearsal.edit(change)
    operations.up(rehearsal.places, skip_preview=True)


def test_a_new_organization_comes_before_the_guardrail_and_is_closed(
    dev: Rehearsal, capsys: pytest.CaptureFixture[str]
) -> None:
    _up(dev, _with_new_organization)
    assert "0 violations" in capsys.readouterr().out
    assert _names(dev) == ["api-management", "model-armor"]
    assert _chain(dev)["matchCondition"] == EVERY_PATH
    for extension in _chain(dev)["extensions"]:
        assert extension["failOpen"] is False
        assert len(extension["supportedEvents"]) == 6
    assert _requires(dev, EXTENSION, "gcp:apigee/instanceAttachment:InstanceAttachment")
    assert _requires(dev, EXTENSION, "kubernetes:apim.googleapis.com/v1:ApigeeBackendService")
    assert _requires(dev, EXTENSION, "gcp:apigee/apiDeployment:ApiDeployment")
    assert _requires(dev, EXTENSION, "gcp:modelarmor/template:Template")
    assert _requires(dev, ATTACHMENT, EXTENSION)


def test_no_credential_of_a_consumer_is_in_the_state_in_clear(dev: Rehearsal) -> None:
    (app,) = dev.resources("gcp:apigee/developerApp:DeveloperApp")
    secret = "4dabf18193072939515e22adb298388d"  # noqa: S105 - the engine's mark of a secret
    assert secret in app["outputs"]["credentials"]
    assert secret in app["inputs"]["consumerSecret"]
    assert "sandbox-secret" not in json.dumps(dev.deployment())


def test_a_second_preview_changes_nothing(
    dev: Rehearsal, capsys: pytest.CaptureFixture[str]
) -> None:
    operations.preview(dev.places)
    assert "Nothing changes." in capsys.readouterr().out


def test_services_take_the_places_of_apigee_and_model_armor(
    dev: Rehearsal, capsys: pytest.CaptureFixture[str]
) -> None:
    _up(dev, _with_services)
    assert "0 violations" in capsys.readouterr().out
    assert _names(dev) == ["api-management", "guardrail"]
    assert not [each for each in _types(dev) if "apigee" in each or "modelarmor" in each]
    assert _requires(dev, EXTENSION, "kubernetes:apps/v1:Deployment")
    for extension in _chain(dev)["extensions"]:
        assert extension["failOpen"] is False
        assert extension["requestBodySendMode"] == "FullDuplexStreamed"
        assert extension["responseBodySendMode"] == "FullDuplexStreamed"


def test_at_the_replica_requests_reach_the_model_through_its_guardrail_only(
    dev: Rehearsal, capsys: pytest.CaptureFixture[str]
) -> None:
    _up(dev, _at_the_replica)
    assert "0 violations" in capsys.readouterr().out
    (pool,) = dev.resources("kubernetes:inference.networking.k8s.io/v1:InferencePool")
    assert pool["outputs"]["spec"]["targetPorts"] == [{"number": 8080}]
    pods = [
        deployment["outputs"]["spec"]["template"]["spec"]["containers"]
        for deployment in dev.resources("kubernetes:apps/v1:Deployment")
    ]
    (guarded,) = [each for each in pods if any(c["name"] == "vllm" for c in each)]
    assert [container["name"] for container in guarded] == ["guardrail", "vllm"]


def test_with_nothing_in_it_there_is_no_chain(dev: Rehearsal) -> None:
    assert dev.resources(EXTENSION) == []


def test_a_service_of_others_is_called_and_told_of_where_it_is_not_there(dev: Rehearsal) -> None:
    with pytest.raises(LaunchError, match=r"the Service .* which isn't in its namespace"):
        _up(dev, _with_a_service_of_others)
    (called,) = _chain(dev)["extensions"]
    assert called["backendRef"] == {
        "group": "",
        "kind": "Service",
        "name": "shared-apim",
        "port": 50051,
    }
    assert called["failOpen"] is False

"""A pipeline that asks models reaches the gateway, knows who signs for it, and shows its key."""

import json
from typing import Any

import yaml

from config.load import from_mapping
from stacks.platform import build_platform
from tests.config.samples import ROOT
from tests.unit.harness import Recorded, run

SERVICE = "gcp:cloudrunv2/service:Service"


def service_of(stack: str, **changed: Any) -> Recorded:
    """Return the service of the stack's sentiment pipeline, which asks a model."""
    document: Any = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())
    config = {key: value for key, value in document["config"].items() if ":" not in key}
    config["pipelines"]["sentiment"]["models"] = ["qwen3-4b"]
    for area, value in changed.items():
        config[area]["apigee"]["consumers"] |= value
    platform = from_mapping(config, stack)
    return run(lambda: build_platform(platform)).one(SERVICE, "sentiment-service-run")


def test_it_finds_the_gateway_and_its_authority() -> None:
    template = service_of("dev").inputs["template"]
    (container,) = template["containers"]
    given = {each["name"]: each.get("value") for each in container["envs"]}
    assert given["LLM_BASE_URL"] == "https://inference.dev.acme.internal/v1"
    assert given["LLM_MODEL"] == "qwen3-4b"
    assert json.loads(given["LLM_MODELS"]) == ["qwen3-4b"]
    assert given["LLM_CA_FILE"].startswith(
        tuple(each["mountPath"] for each in container["volumeMounts"])
    )
    assert "LLM_AUTH" not in given
    assert template["vpcAccess"]["egress"] == "ALL_TRAFFIC"


def test_it_shows_api_management_a_key_of_its_own() -> None:
    found = service_of("prod", api_management={"sentiment": {"requests_per_minute": 60}})
    (container,) = found.inputs["template"]["containers"]
    given = {each["name"]: each.get("value") for each in container["envs"]}
    assert given["LLM_AUTH"] == "api_key"
    assert given["LLM_API_KEY_FILE"].startswith(
        tuple(each["mountPath"] for each in container["volumeMounts"])
    )
    secrets = [each["secret"]["secret"] for each in found.inputs["template"]["volumes"]]
    assert any(each.endswith("inference-sentiment-key") for each in secrets)

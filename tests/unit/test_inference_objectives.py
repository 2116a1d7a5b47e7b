"""InferenceObjective: priorities of a pool, in the group the picker reads, after its definition."""

from copy import deepcopy
from typing import Any, cast

import yaml

from components.inference.endpoint_picker import Scheduling, picker_config
from components.inference.inference_crds import InferenceCrds
from components.inference.inference_gateway import (
    InferenceGateway,
    InferenceGatewayArgs,
    validate_inference_gateway,
)
from tests.unit.harness import Cloud, Deploy
from tests.unit.inference_arguments import GATEWAY

OBJECTIVE = "kubernetes:inference.networking.x-k8s.io/v1alpha2:InferenceObjective"
DEFINITION = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"


def _with(index: int, **changes: Any) -> InferenceGatewayArgs:
    args = cast("dict[str, Any]", deepcopy(GATEWAY))
    args["pools"][index].update(changes)
    return cast("InferenceGatewayArgs", args)


ARGS = _with(2, objectives={"interactive": 10, "batch": -10}, flow_control=True)


def _deploy(deploy: Deploy) -> Cloud:
    def program() -> None:
        definitions = InferenceCrds("crds", {})
        InferenceGateway(
            "gateway",
            cast("InferenceGatewayArgs", {**ARGS, "extension_api_group": definitions.api_group}),
        )

    return deploy(program)


def test_each_objective_of_a_pool_is_an_object_with_its_priority(deploy: Deploy):
    found = {
        objective.inputs["metadata"]["name"]: objective.inputs["spec"]
        for objective in _deploy(deploy).all(OBJECTIVE)
    }
    pool = {
        "group": "inference.networking.k8s.io",
        "kind": "InferencePool",
        "name": "llama-8b-l4",
    }
    assert found == {
        "llama-8b-l4-interactive": {"poolRef": pool, "priority": 10},
        "llama-8b-l4-batch": {"poolRef": pool, "priority": -10},
    }


def test_objectives_come_after_their_definition(deploy: Deploy):
    cloud = _deploy(deploy)
    definition = cloud.one(DEFINITION, "crds-inference-objective")
    for objective in cloud.all(OBJECTIVE):
        assert cloud.requires(objective, definition)


def test_only_the_pool_with_flow_control_queues_by_priority(deploy: Deploy):
    gates = {
        config.inputs["metadata"]["name"]: yaml.safe_load(config.inputs["data"]["config.yaml"]).get(
            "featureGates"
        )
        for config in _deploy(deploy).all(CONFIG_MAP)
    }
    assert gates == {
        "llama-70b-h100-epp": None,
        "llama-70b-flex-epp": None,
        "llama-8b-l4-epp": ["flowControl"],
    }


def test_flow_control_changes_no_scorer():
    with_it = yaml.safe_load(picker_config(lora=True, flow_control=True))
    del with_it["featureGates"]
    assert with_it == yaml.safe_load(picker_config(lora=True))


def test_a_priority_that_changes_nothing_is_told():
    found = validate_inference_gateway("gateway", _with(0, objectives={"fast": 1})).found
    assert found == [
        {
            "property_path": "pools[0].objectives.fast",
            "reason": (
                "found 1; allowed: 0 or less without flow_control: nothing else lets one request "
                "go before another; set flow_control: true of the model or lower it"
            ),
        }
    ]


def test_two_objects_of_one_name_are_told():
    args = cast("dict[str, Any]", _with(0, name="a", objectives={"b-c": 0}))
    args["pools"][1].update(name="a-b", objectives={"c": 0})
    args["routes"] = [{"models": ["m"], "backends": [{"pool": "a", "weight": 100}]}]
    found = validate_inference_gateway("gateway", cast("InferenceGatewayArgs", args)).found
    assert found == [
        {
            "property_path": "pools[1].objectives.c",
            "reason": ("found a name 'a-b-c' that pools[0].objectives.b-c makes too; rename one"),
        }
    ]


def test_a_picker_weighs_and_is_saturated_as_it_is_told() -> None:
    scheduling: Scheduling = {
        "scorers": {"queue-scorer": 0, "running-requests-size-scorer": 4},
        "prefix_tokens": 16384,
        "saturated_kv_cache_percent": 90,
    }
    config = yaml.safe_load(picker_config(lora=False, scheduling=scheduling))
    (profile,) = config["schedulingProfiles"]
    assert {each["pluginRef"]: each["weight"] for each in profile["plugins"]} == {
        "kv-cache-utilization-scorer": 2,
        "prefix-cache-scorer": 3,
        "running-requests-size-scorer": 4,
    }
    plugins = {each["type"]: each.get("parameters") for each in config["plugins"]}
    assert "queue-scorer" not in plugins
    assert plugins["approx-prefix-cache-producer"] == {"maxPrefixTokensToMatch": 16384}
    assert plugins["utilization-detector"] == {"kvCacheUtilThreshold": 0.9}
    assert config["saturationDetector"] == {"pluginRef": "utilization-detector"}


def test_a_picker_that_is_told_nothing_has_its_own_settings() -> None:
    assert picker_config(lora=True, scheduling={}) == picker_config(lora=True)
    assert "saturationDetector" not in picker_config(lora=True)

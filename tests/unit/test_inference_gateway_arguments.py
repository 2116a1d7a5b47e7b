"""InferenceGateway: wrong arguments are told with what was found and what is allowed."""

from copy import deepcopy
from typing import Any, cast

import pulumi
import pytest

from components.inference.inference_gateway import (
    InferenceGateway,
    InferenceGatewayArgs,
    validate_inference_gateway,
)
from tests.unit.harness import Deploy
from tests.unit.inference_arguments import GATEWAY as ARGS

POOLS = ARGS["pools"]
ROUTES = ARGS["routes"]
NEW_POOL = {**POOLS[0], "selector": {"app.kubernetes.io/instance": "new"}}
NO_WEIGHT = [{"pool": "llama-8b-l4", "weight": 100}]
NO_LABELS: dict[str, str] = {}
NO_ROUTES: list[Any] = []
NO_NAMES: list[str] = []
NO_BACKENDS: list[Any] = []


def _with(**changes: Any) -> InferenceGatewayArgs:
    return cast("InferenceGatewayArgs", {**deepcopy(ARGS), **changes})


@pytest.mark.parametrize(
    ("changes", "path", "reason"),
    [
        (
            {"hostname": "Inference"},
            "hostname",
            (
                "found 'Inference'; allowed: a lowercase DNS name of at least two labels and "
                "at most 64 characters, not one of Google's or Kubernetes' own; write it like "
                "inference.acme.internal (a certificate's common name ends at 64)"
            ),
        ),
        (
            {"request_timeout_seconds": 0},
            "request_timeout_seconds",
            "found 0; allowed: a whole number from 1 to 86400 seconds; raise it to 1 or more",
        ),
        (
            {"routes": NO_ROUTES},
            "routes",
            (
                "found an empty list; allowed: one entry or more; give a route, or no request"
                " is answered"
            ),
        ),
        (
            {"routes": [{"models": NO_NAMES, "backends": NO_WEIGHT}]},
            "routes[0].models",
            "found an empty list; allowed: one to 64 entries; give a model name",
        ),
        (
            {"routes": [{"models": ["a"], "backends": NO_BACKENDS}]},
            "routes[0].backends",
            "found an empty list; allowed: one to 16 entries; give a pool",
        ),
        (
            {"routes": [{"models": ["a"], "backends": [{"pool": "none", "weight": 100}]}]},
            "routes[0].backends[0].pool",
            (
                "found 'none'; allowed: llama-70b-flex, llama-70b-h100, llama-8b-l4; name a "
                "pool of this gateway"
            ),
        ),
        (
            {"routes": [{"models": ["a"], "backends": [{"pool": "llama-8b-l4", "weight": 90}]}]},
            "routes[0].backends",
            "found weights that add up to 90; allowed: 100; give percentages",
        ),
        (
            {
                "routes": [
                    {
                        "models": ["a"],
                        "backends": [
                            {"pool": "llama-8b-l4", "weight": 50},
                            {"pool": "llama-8b-l4", "weight": 50},
                        ],
                    }
                ]
            },
            "routes[0].backends",
            "found a pool twice; allowed: each once; add up its weights",
        ),
        (
            {"routes": [*ROUTES, {"models": ["a", "topic-control"], "backends": NO_WEIGHT}]},
            "routes[2].models[1]",
            "found 'topic-control', which routes[1].models[1] routes already; keep one of them",
        ),
        (
            {"routes": [*ROUTES, {"models": ["Llama-3.3-70B"], "backends": NO_WEIGHT}]},
            "routes[2].models[0]",
            (
                "found 'Llama-3.3-70B', which makes the object name 'llama-3-3-70b', which "
                "routes[0] has too; allowed: 1 to 63 lowercase letters, digits or hyphens, a "
                "letter or digit first and last, each once; put another model of the route "
                "first"
            ),
        ),
        (
            {"routes": [{"models": [" a"], "backends": NO_WEIGHT}]},
            "routes[0].models[0]",
            (
                "found ' a'; allowed: printable ASCII without spaces around, as an HTTP header "
                "carries it; rename the model"
            ),
        ),
        (
            {"routes": [{"models": [f"m{i}" for i in range(65)], "backends": NO_WEIGHT}]},
            "routes[0].models",
            "found 65 entries; allowed: one to 64 entries; remove some",
        ),
        (
            {"pools": [*POOLS, {**NEW_POOL, "name": "llama-70b-h100"}]},
            "pools[3].name",
            "found 'llama-70b-h100', which pools[0] has too; rename one of them",
        ),
        (
            {"pools": [*POOLS, {**NEW_POOL, "name": "p" * 60}]},
            "pools[3].name",
            (
                f"found '{'p' * 60}', too long for its picker's Service '{'p' * 60}-epp'; allowed: "
                "59 characters; shorten it"
            ),
        ),
        (
            {"pools": [*POOLS, {**NEW_POOL, "name": "Pool"}]},
            "pools[3].name",
            (
                "found 'Pool'; allowed: 1 to 63 lowercase letters, digits or hyphens, a "
                "letter first, no hyphen last; shorten or change it (Compute Engine and "
                "Kubernetes allow no longer name)"
            ),
        ),
        (
            {"pools": [*POOLS, {**NEW_POOL, "name": "new", "selector": NO_LABELS}]},
            "pools[3].selector",
            "found an empty mapping; allowed: one entry or more; give the replicas' labels",
        ),
        (
            {"pools": [*POOLS, {**NEW_POOL, "name": "new", "target_port": 0}]},
            "pools[3].target_port",
            "found 0; allowed: a whole number from 1 to 65535; raise it to 1 or more",
        ),
    ],
)
def test_wrong_arguments_are_told(changes: dict[str, Any], path: str, reason: str):
    found = validate_inference_gateway("gateway", _with(**changes)).found
    assert found == [{"property_path": path, "reason": reason}]


def test_a_weight_outside_a_percentage_is_told():
    backends = [
        {"pool": "llama-70b-h100", "weight": 110},
        {"pool": "llama-70b-flex", "weight": -10},
    ]
    args = _with(routes=[{"models": ["a"], "backends": backends}])
    assert [p["property_path"] for p in validate_inference_gateway("gateway", args).found] == [
        "routes[0].backends[0].weight",
        "routes[0].backends[1].weight",
    ]


def test_no_pools_are_told_once_for_pools_and_once_for_each_backend():
    found = validate_inference_gateway("gateway", _with(pools=[])).found
    assert [p["property_path"] for p in found] == [
        "pools",
        "routes[0].backends[0].pool",
        "routes[0].backends[1].pool",
        "routes[1].backends[0].pool",
    ]


def test_all_problems_come_at_once(deploy: Deploy):
    with pytest.raises(pulumi.InputPropertiesError, match=r"(?s)gateway:.*hostname: .*routes: "):
        deploy(lambda: InferenceGateway("gateway", _with(hostname="x", routes=[])))


def test_valid_arguments_have_no_problem():
    assert validate_inference_gateway("gateway", ARGS).found == []


def test_an_additional_name_that_is_none_is_told():
    found = validate_inference_gateway("gateway", _with(additional_hostnames=["X"])).found
    assert [problem["property_path"] for problem in found] == ["additional_hostnames[0]"]


def test_a_pool_that_selects_anothers_replicas_is_told():
    same = {**POOLS[0], "name": "same"}
    wider = {
        **POOLS[0],
        "name": "wider",
        "selector": {"app.kubernetes.io/name": "vllm"},
    }
    narrow = {
        **POOLS[0],
        "name": "narrow",
        "selector": {"app.kubernetes.io/name": "vllm", "app.kubernetes.io/instance": "narrow"},
    }
    found = validate_inference_gateway("gateway", _with(pools=[*POOLS, same])).found
    assert [p["property_path"] for p in found] == ["pools[3].selector"]
    found = validate_inference_gateway("gateway", _with(pools=[*POOLS, wider, narrow])).found
    assert found == [
        {
            "property_path": "pools[3].selector",
            "reason": (
                "found labels that select the replicas of pools[4] too; give the labels of one "
                "replica set: ModelServer.pod_labels"
            ),
        }
    ]


def test_a_route_to_a_pool_of_another_model_is_told():
    served = {**POOLS[2], "models": ["llama-3.1-8b", "topic-control"]}
    found = validate_inference_gateway("gateway", _with(pools=[*POOLS[:2], served])).found
    assert found == [
        {
            "property_path": "routes[1].backends[0].pool",
            "reason": (
                "found 'llama-8b-l4', which serves llama-3.1-8b, topic-control and not "
                "content-safety; route to a pool that serves them"
            ),
        }
    ]

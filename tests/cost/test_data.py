"""What Redis and Vertex AI cost, at the catalog's prices."""

from typing import Any

import pytest
from pulumi_policy import proxy

from catalog.limits.vector_index import SHARD_MACHINES
from cost.estimate import Estimate, estimate
from cost.rates import CATALOG
from resources.resource import Resource

REDIS = "gcp:redis/instance:Instance"
VERTEX = "gcp:vertex/aiEndpointWithModelGardenDeployment:AiEndpointWithModelGardenDeployment"
STORE = "gcp:vertex/aiFeatureOnlineStore:AiFeatureOnlineStore"
DEPLOYED = "gcp:vertex/aiIndexEndpointDeployedIndex:AiIndexEndpointDeployedIndex"
UNKNOWN = proxy.UNKNOWN_STRING_VALUE


def of(token: str, inputs: dict[str, Any]) -> Estimate:
    return estimate([Resource(token, "it", f"urn:pulumi:dev::inference::{token}::it", inputs)])


def month(price: str) -> float:
    rate = CATALOG.month(price)
    assert rate
    return rate.usd


@pytest.mark.parametrize(
    ("inputs", "gib", "price"),
    [
        ({"memorySizeGb": 1}, 1, "redis-basic-m1"),
        ({"memorySizeGb": 4, "tier": "BASIC"}, 4, "redis-basic-m1"),
        ({"memorySizeGb": 5, "tier": "STANDARD_HA"}, 5, "redis-standard-m2"),
        ({"memorySizeGb": 36, "tier": "STANDARD_HA"}, 36, "redis-standard-m4"),
        ({"memorySizeGb": 300, "tier": "BASIC"}, 300, "redis-basic-m5"),
    ],
)
def test_redis_by_tier_and_size(inputs: dict[str, Any], gib: int, price: str) -> None:
    found = of(REDIS, inputs)
    assert found.minimum == found.maximum == pytest.approx(gib * month(price))
    assert not found.unpriced


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ({}, "the size"),
        ({"memorySizeGb": 1, "tier": UNKNOWN}, "the tier"),
        (
            {
                "memorySizeGb": 5,
                "tier": "STANDARD_HA",
                "readReplicasMode": "READ_REPLICAS_ENABLED",
            },
            "no price for read replicas",
        ),
    ],
)
def test_what_redis_lacks_is_told(inputs: dict[str, Any], reason: str) -> None:
    (unpriced,) = of(REDIS, inputs).unpriced
    assert reason in unpriced.reason


def deployed(**resources: Any) -> Estimate:
    given = {"machineSpec": {"machineType": "g2-standard-12"}, **resources}
    return of(VERTEX, {"deployConfig": {"dedicatedResources": given}})


def test_replicas_of_an_endpoint_are_machines_and_a_fee_on_top() -> None:
    rate = CATALOG.machine("g2-standard-12", "on-demand")
    assert rate
    one = rate.usd * (1 + month("vertex-fee"))
    found = deployed(minReplicaCount=1, maxReplicaCount=3)
    assert (found.minimum, found.maximum) == pytest.approx((one, 3 * one))
    assert not found.unpriced
    assert deployed(minReplicaCount=2).maximum == pytest.approx(2 * one)


def test_spot_replicas_cost_less() -> None:
    assert deployed(minReplicaCount=1, spot=True).maximum < deployed(minReplicaCount=1).maximum


@pytest.mark.parametrize(
    "resources",
    [
        {"machineSpec": {}, "minReplicaCount": 1},
        {"minReplicaCount": UNKNOWN},
        {"minReplicaCount": 1, "maxReplicaCount": UNKNOWN},
    ],
)
def test_an_endpoint_of_unknown_size_is_not_priced_0(resources: dict[str, Any]) -> None:
    found = deployed(**resources)
    assert not found.lines
    assert found.unpriced


def test_features_are_paid_by_the_node() -> None:
    scaling = {"minNodeCount": 1, "maxNodeCount": 3}
    found = of(STORE, {"bigtable": {"autoScaling": scaling}})
    node = month("feature-store-node")
    assert (found.minimum, found.maximum) == (pytest.approx(node), pytest.approx(3 * node))


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ({"optimized": {}}, "no price for optimized serving"),
        ({"bigtable": {"autoScaling": {"minNodeCount": 1, "maxNodeCount": UNKNOWN}}}, "of nodes"),
    ],
)
def test_nodes_of_features_that_are_not_known_are_told(inputs: dict[str, Any], reason: str) -> None:
    assert any(reason in each.reason for each in of(STORE, inputs).unpriced)


@pytest.mark.parametrize("machine", sorted(SHARD_MACHINES.values()))
def test_an_index_is_paid_by_its_replicas(machine: str) -> None:
    spec = {"machineType": machine}
    replicas = {"minReplicaCount": 1, "maxReplicaCount": 2}
    found = of(DEPLOYED, {"dedicatedResources": {"machineSpec": spec, **replicas}})
    price = month(f"vector-search-{machine}")
    assert (found.minimum, found.maximum) == (pytest.approx(price), pytest.approx(2 * price))
    (unpriced,) = of(DEPLOYED, {}).unpriced
    assert "number of replicas" in unpriced.reason

"""NamespaceIsolation: nothing is answered but what serving needs."""

from typing import Any

import pulumi
import pytest

from components.inference.namespace_isolation import NamespaceIsolation, NamespaceIsolationArgs
from tests.unit.harness import Deploy

POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
ARGS: NamespaceIsolationArgs = {
    "namespace": "inference",
    "load_balancer_ranges": ["35.191.0.0/16", "10.0.128.0/23"],
}


def _policies(deploy: Deploy) -> dict[str, Any]:
    cloud = deploy(lambda: NamespaceIsolation("central", ARGS))
    return {each.inputs["metadata"]["name"]: each.inputs["spec"] for each in cloud.all(POLICY)}


def test_every_pod_is_closed_by_default(deploy: Deploy):
    denied = _policies(deploy)["deny-ingress"]
    assert denied == {"podSelector": {}, "policyTypes": ["Ingress"]}


def test_load_balancer_pods_and_collectors_come_in(deploy: Deploy):
    (rule,) = _policies(deploy)["allow-serving"]["ingress"]
    ranges = [each["ipBlock"]["cidr"] for each in rule["from"] if "ipBlock" in each]
    assert ranges == ["35.191.0.0/16", "10.0.128.0/23"]
    within, collectors = [each for each in rule["from"] if "ipBlock" not in each]
    assert within == {"podSelector": {}}
    (place,) = collectors["namespaceSelector"]["matchExpressions"]
    assert place["values"] == ["gke-gmp-system", "gmp-system"]


def test_nobody_at_all_is_a_mistake(deploy: Deploy):
    with pytest.raises(pulumi.InputPropertiesError) as error:
        deploy(lambda: NamespaceIsolation("central", {**ARGS, "load_balancer_ranges": []}))
    assert "load_balancer_ranges" in str(error.value.errors)

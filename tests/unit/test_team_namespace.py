"""TeamNamespace: a team takes no more than its quota, and changes nothing but its pods."""

from typing import Any

import pulumi
import pytest

from components.inference.team_namespace import TeamNamespace, TeamNamespaceArgs
from tests.unit.harness import Cloud, Deploy

CORE = "kubernetes:core/v1:"
RBAC = "kubernetes:rbac.authorization.k8s.io/v1:"
ARGS: TeamNamespaceArgs = {
    "namespace": "inference-search",
    "team": "search",
    "load_balancer_ranges": ["35.191.0.0/16"],
    "gpus": 4,
    "members": ["group:search@acme.com", "user:ada@acme.com"],
}


@pytest.fixture
def cloud(deploy: Deploy) -> Cloud:
    return deploy(lambda: TeamNamespace("search", ARGS))


def _one(cloud: Cloud, kind: str) -> Any:
    (found,) = cloud.all(kind)
    return found.inputs


def test_pods_keep_to_the_restricted_profile(cloud: Cloud):
    labels = _one(cloud, f"{CORE}Namespace")["metadata"]["labels"]
    assert labels == {"pod-security.kubernetes.io/enforce": "restricted", "team": "search"}


def test_what_is_not_given_is_none(cloud: Cloud):
    hard = _one(cloud, f"{CORE}ResourceQuota")["spec"]["hard"]
    assert hard == {
        "requests.nvidia.com/gpu": "4",
        "requests.google.com/tpu": "0",
        "pods": "100",
        "services.loadbalancers": "0",
        "services.nodeports": "0",
    }


def test_memory_counts_where_it_is_given(deploy: Deploy):
    cloud = deploy(lambda: TeamNamespace("search", {**ARGS, "memory_gib": 64}))
    assert _one(cloud, f"{CORE}ResourceQuota")["spec"]["hard"]["requests.memory"] == "64Gi"


def test_a_container_that_says_nothing_counts_against_the_quota(cloud: Cloud):
    (limit,) = _one(cloud, f"{CORE}LimitRange")["spec"]["limits"]
    assert limit["defaultRequest"].keys() >= {"cpu", "memory"}


def test_members_change_nothing_but_their_pods(cloud: Cloud):
    rules = _one(cloud, f"{RBAC}Role")["rules"]
    writes = [each for each in rules if set(each["verbs"]) - {"get", "list", "watch"}]
    assert writes == [{"apiGroups": [""], "resources": ["pods"], "verbs": ["delete"]}]
    assert "secrets" not in {name for each in rules for name in each["resources"]}


def test_groups_and_users_are_bound_in_the_namespace_alone(cloud: Cloud):
    binding = _one(cloud, f"{RBAC}RoleBinding")
    assert binding["metadata"]["namespace"] == "inference-search"
    assert [(each["kind"], each["name"]) for each in binding["subjects"]] == [
        ("Group", "search@acme.com"),
        ("User", "ada@acme.com"),
    ]
    assert not cloud.all(f"{RBAC}ClusterRoleBinding")


def test_without_members_nobody_has_a_right(deploy: Deploy):
    cloud = deploy(lambda: TeamNamespace("search", {**ARGS, "members": []}))
    assert not cloud.all(f"{RBAC}RoleBinding")


def test_a_pipeline_is_no_member(deploy: Deploy):
    with pytest.raises(pulumi.InputPropertiesError) as error:
        deploy(lambda: TeamNamespace("search", {**ARGS, "members": ["sentiment"]}))
    assert "members[0]" in str(error.value.errors)

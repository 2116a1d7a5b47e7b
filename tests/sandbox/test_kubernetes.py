"""Kubernetes objects in the clusters of the sandbox cloud."""

import base64
import json
from typing import Any

import pytest

from sandbox.providers import Servers
from sandbox.values import UNKNOWN, Secret
from sandbox.world import World
from tests.sandbox.client import Client, RefusedError, connect
from tests.sandbox.clusters import (
    CLUSTER,
    config_map,
    deployment,
    kubeconfig,
    make_cluster,
    make_kubeconfig,
)

NAMESPACE = "kubernetes:core/v1:Namespace"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
SECRET = "kubernetes:core/v1:Secret"  # noqa: S105 -- a type
SERVICE = "kubernetes:core/v1:Service"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
DEFINITION = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"
ROUTE = "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute"
SPROCKET = "kubernetes:acme.example/v1:Sprocket"
REPLACING = {1, 3, 5}


def test_an_object_gets_its_id_namespace_and_metadata(cluster: Client) -> None:
    id_, made = cluster.create(CONFIG_MAP, {"metadata": {"name": "settings"}, "data": {"a": "b"}})
    assert id_ == "default/settings"
    assert made["metadata"]["namespace"] == "default"
    assert made["metadata"]["resourceVersion"] == "1"
    assert made["metadata"]["generation"] == 1
    assert made["metadata"]["uid"]


def test_an_object_without_a_name_gets_one(cluster: Client) -> None:
    checked, failures = cluster.checked(CONFIG_MAP, {"data": {}}, name="settings")
    assert failures == []
    assert checked["metadata"]["name"] == "settings-0102030"
    assert checked["metadata"]["annotations"] == {"pulumi.com/autonamed": "true"}
    again, _ = cluster.checked(CONFIG_MAP, {"data": {}}, name="other", olds=checked)
    assert again["metadata"]["name"] == "settings-0102030"


def test_every_failure_is_reported_with_path_and_token(cluster: Client) -> None:
    wrong = deployment(
        containers=[{"name": "app", "imag": "app", "ports": [{"containerPort": "80"}]}]
    )
    _, failures = cluster.checked(DEPLOYMENT, wrong)
    assert [failure.path for failure in failures] == [
        "spec.template.spec.containers[0].imag",
        "spec.template.spec.containers[0].ports[0].containerPort",
    ]
    assert all(DEPLOYMENT in failure.reason for failure in failures)


def test_a_namespace_must_exist(cluster: Client) -> None:
    with pytest.raises(RefusedError, match='namespaces "space" not found'):
        cluster.create(CONFIG_MAP, config_map(namespace="space"))
    cluster.create(NAMESPACE, {"metadata": {"name": "space"}})
    assert cluster.create(CONFIG_MAP, config_map(namespace="space"))[0] == "space/settings"


def test_a_namespace_takes_its_objects_along(cluster: Client, world: World) -> None:
    cluster.create(NAMESPACE, {"metadata": {"name": "space"}})
    cluster.create(CONFIG_MAP, config_map(namespace="space"))
    cluster.delete(NAMESPACE, "space")
    assert world.by_type(CONFIG_MAP) == []


def test_the_same_object_twice_is_a_conflict_unless_upserting(
    cluster: Client, gcp: Client, servers: Servers
) -> None:
    cluster.create(CONFIG_MAP, config_map())
    with pytest.raises(RefusedError, match='configmaps "settings" already exists'):
        cluster.create(CONFIG_MAP, config_map())
    cluster.configure(kubeconfig=make_kubeconfig(gcp), upsertExistingObjects="true")
    assert cluster.create(CONFIG_MAP, config_map())[0] == "default/settings"


def test_clusters_do_not_see_each_other(cluster: Client, gcp: Client, servers: Servers) -> None:
    cluster.create(CONFIG_MAP, config_map())
    with connect(servers.ports["kubernetes"]) as other:
        other.configure(kubeconfig=make_cluster(gcp, "two"))
        assert other.read(CONFIG_MAP, "default/settings")[0] == ""
        assert other.create(CONFIG_MAP, config_map())[0] == "default/settings"


@pytest.mark.parametrize(
    ("config", "why"),
    [
        (kubeconfig("gke-gone.us-central1.gke.goog"), "lookup gke-gone.us-central1.gke.goog"),
        ("not: a kubeconfig", "no usable current-context"),
        ("", "no kubeconfig was given"),
    ],
)
def test_a_cluster_that_is_not_there_is_unreachable(cluster: Client, config: str, why: str) -> None:
    cluster.configure(kubeconfig=config)
    assert cluster.create(CONFIG_MAP, config_map(), preview=True)[1]["kind"] == "ConfigMap"
    for call in (
        lambda: cluster.create(CONFIG_MAP, config_map()),
        lambda: cluster.read(CONFIG_MAP, "default/a"),
        lambda: cluster.delete(CONFIG_MAP, "default/a"),
    ):
        with pytest.raises(RefusedError, match="cluster is unreachable") as refused:
            call()
        assert why in str(refused.value)
    cluster.configure(kubeconfig=config, deleteUnreachable="true")
    cluster.delete(CONFIG_MAP, "default/a")
    assert cluster.read(CONFIG_MAP, "default/a")[0] == ""


def test_deleting_a_cluster_deletes_what_is_inside(
    cluster: Client, gcp: Client, world: World
) -> None:
    cluster.create(CONFIG_MAP, config_map())
    id_ = "projects/acme/locations/us-central1/clusters/one"
    gcp.delete(CLUSTER, id_, {"deletionProtection": False})
    assert world.by_type(CONFIG_MAP) == []
    with pytest.raises(RefusedError, match="unreachable"):
        cluster.read(CONFIG_MAP, "default/settings")


def test_another_cluster_replaces_the_provider(cluster: Client) -> None:
    one, two = kubeconfig("one"), kubeconfig("two")
    assert list(cluster.diff_config({"kubeconfig": one}, {"kubeconfig": two}).replaces)
    annotated = json.dumps({**json.loads(one), "kind": "Config"})
    assert not list(cluster.diff_config({"kubeconfig": one}, {"kubeconfig": annotated}).replaces)


def test_the_server_answers_with_defaults_and_status(cluster: Client) -> None:
    _, service = cluster.create(
        SERVICE, {"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}}
    )
    assert service["spec"]["type"] == "ClusterIP"
    assert service["spec"]["clusterIP"] == service["spec"]["clusterIPs"][0]
    _, app = cluster.create(DEPLOYMENT, deployment())
    assert app["status"]["availableReplicas"] == 2


def test_a_preview_does_not_know_what_the_server_decides(cluster: Client) -> None:
    inputs = {"metadata": {"name": "web"}, "kind": "Service", "spec": {"ports": [{"port": 80}]}}
    id_, previewed = cluster.create(SERVICE, inputs, preview=True)
    assert id_ == ""
    assert previewed["metadata"]["name"] == "web"
    assert previewed["metadata"]["uid"] is UNKNOWN
    assert previewed["spec"]["clusterIP"] is UNKNOWN
    assert previewed["spec"]["ports"] == [{"port": 80}]


def test_secret_contents_stay_secret(cluster: Client, world: World) -> None:
    inputs = {"metadata": {"name": "s"}, "stringData": {"password": Secret("hush")}}
    _, made = cluster.create(SECRET, inputs)
    assert made["stringData"] == Secret({"password": "hush"})
    encoded = base64.b64encode(b"hush").decode()
    assert made["data"] == Secret({"password": encoded})
    (stored,) = world.by_type(SECRET)
    assert stored.outputs["data"] == {"password": encoded}


def test_an_update_counts_generations_of_the_spec(cluster: Client) -> None:
    id_, made = cluster.create(DEPLOYMENT, deployment())
    checked, _ = cluster.checked(DEPLOYMENT, deployment(serviceAccountName="default"))
    changed = cluster.update(DEPLOYMENT, id_, made, checked)
    assert changed["metadata"]["generation"] == 2
    assert changed["metadata"]["uid"] == made["metadata"]["uid"]


@pytest.mark.parametrize(
    ("token", "old", "new", "replaced"),
    [
        (CONFIG_MAP, config_map("a"), config_map("b"), ["metadata.name"]),
        (CONFIG_MAP, config_map(data={"a": "b"}), config_map(data={"a": "c"}), []),
        (
            CONFIG_MAP,
            config_map(immutable=True, data={"a": "b"}),
            config_map(immutable=True, data={"a": "c"}),
            ["data.a"],
        ),
        (
            DEPLOYMENT,
            {"spec": {"selector": {"matchLabels": {"a": "b"}}}},
            {"spec": {"selector": {"matchLabels": {"a": "c"}}}},
            ["spec.selector.matchLabels.a"],
        ),
        (SERVICE, {"spec": {"clusterIP": "1.2.3.4"}}, {"spec": {}}, ["spec.clusterIP"]),
    ],
)
def test_identity_and_immutable_fields_replace(
    cluster: Client, token: str, old: dict[str, Any], new: dict[str, Any], replaced: list[str]
) -> None:
    diff = cluster.diff(token, "default/a", old, new)
    assert list(diff.replaces) == replaced
    found = {path for path, detail in diff.detailedDiff.items() if detail.kind in REPLACING}
    assert found == set(replaced)
    assert diff.deleteBeforeReplace == (bool(replaced) and "metadata.name" not in replaced)


def test_an_object_is_imported_by_namespace_and_name(cluster: Client) -> None:
    cluster.create(CONFIG_MAP, config_map(data={"a": "b"}))
    for given in ("default/settings", "settings"):
        id_, inputs, _ = cluster.read(CONFIG_MAP, given)
        assert id_ == "default/settings"
        assert inputs == config_map(data={"a": "b"})


def test_manifests_are_decoded_for_config_files(cluster: Client) -> None:
    text = (
        "kind: A\nmetadata: {name: a}\n---\nkind: List\nitems: [{kind: B, metadata: {name: b}}]\n"
    )
    result = cluster.invoke("kubernetes:yaml:decode", text=text, defaultNamespace="space")["result"]
    assert [(o["kind"], o["metadata"]["namespace"]) for o in result] == [
        ("A", "space"),
        ("B", "space"),
    ]
    with pytest.raises(RefusedError, match="not valid YAML"):
        cluster.invoke("kubernetes:yaml:decode", text="a: [")

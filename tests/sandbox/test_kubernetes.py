"""Kubernetes objects in the clusters of the sandbox cloud."""

import base64
import json
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from sandbox.kubernetes.references import dangling
from sandbox.providers import Servers
from sandbox.values import UNKNOWN, Secret
from sandbox.world import World
from tests.sandbox.client import Client, RefusedError, connect

CLUSTER = "gcp:container/cluster:Cluster"
NAMESPACE = "kubernetes:core/v1:Namespace"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
SECRET = "kubernetes:core/v1:Secret"  # noqa: S105 -- a type
SERVICE = "kubernetes:core/v1:Service"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
DEFINITION = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"
ROUTE = "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute"
SPROCKET = "kubernetes:acme.example/v1:Sprocket"
REPLACING = {1, 3, 5}


def kubeconfig(endpoint: str) -> str:
    return json.dumps(
        {
            "current-context": "it",
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
            "clusters": [{"name": "it", "cluster": {"server": f"https://{endpoint}"}}],
        }
    )


def make_cluster(gcp: Client, name: str, **inputs: Any) -> str:
    """Make a cluster; returns the kubeconfig of its DNS endpoint."""
    gcp.enable("container", "compute")
    _, made = gcp.create(CLUSTER, {"name": name, "location": "us-central1", **inputs})
    return kubeconfig(made["controlPlaneEndpointsConfig"]["dnsEndpointConfig"]["endpoint"])


@pytest.fixture
def cluster(gcp: Client, servers: Servers) -> Generator[Client]:
    config = make_cluster(gcp, "one", gatewayApiConfig={"channel": "CHANNEL_STANDARD"})
    with connect(servers.ports["kubernetes"]) as client:
        client.configure(kubeconfig=config)
        yield client


def config_map(name: str = "settings", namespace: str = "default", **more: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, **more}


def deployment(**pod: Any) -> dict[str, Any]:
    spec = {"containers": [{"name": "app", "image": "app"}], **pod}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "app"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "app"}},
            "template": {"metadata": {"labels": {"app": "app"}}, "spec": spec},
        },
    }


def definition(required: list[str]) -> dict[str, Any]:
    properties = {"teeth": {"type": "integer", "minimum": 3}, "colour": {"type": "string"}}
    spec = {"type": "object", "properties": properties, "required": required}
    schema = {"type": "object", "properties": {"spec": spec}}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
    }
    return {
        "metadata": {"name": "sprockets.acme.example"},
        "spec": {
            "group": "acme.example",
            "scope": "Namespaced",
            "names": {"kind": "Sprocket", "plural": "sprockets"},
            "versions": [version],
        },
    }


def sprocket(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "acme.example/v1",
        "kind": "Sprocket",
        "metadata": {"name": "s"},
        "spec": spec,
    }


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


def make_kubeconfig(gcp: Client) -> str:
    cluster = gcp.read(CLUSTER, "projects/acme/locations/us-central1/clusters/one")[2]
    return kubeconfig(cluster["controlPlaneEndpointsConfig"]["dnsEndpointConfig"]["endpoint"])


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


def test_a_kind_nobody_installed_is_refused_on_create_only(cluster: Client) -> None:
    assert cluster.create(SPROCKET, sprocket(), preview=True)[1]["kind"] == "Sprocket"
    with pytest.raises(RefusedError, match='no matches for kind "Sprocket" in version'):
        cluster.create(SPROCKET, sprocket())


def test_a_definition_in_the_cluster_is_enforced(cluster: Client) -> None:
    cluster.create(DEFINITION, definition(required=["teeth"]))
    assert cluster.create(SPROCKET, sprocket(teeth=4))[0] == "default/s"
    _, failures = cluster.checked(SPROCKET, sprocket(teeth=2, color="red", size=UNKNOWN))
    reasons = {failure.path: failure.reason for failure in failures}
    assert "did you mean 'colour'?" in reasons["spec.color"]
    assert "minimum of 3" in reasons["spec.teeth"]
    _, failures = cluster.checked(SPROCKET, sprocket(teeth=UNKNOWN, colour=7))
    assert [failure.path for failure in failures] == ["spec.colour"]
    _, failures = cluster.checked(SPROCKET, sprocket())
    assert [failure.path for failure in failures] == ["spec.teeth"]


def test_gateway_kinds_come_with_the_cluster_feature(
    gcp: Client, servers: Servers, cluster: Client
) -> None:
    route = {"metadata": {"name": "r"}, "spec": {}}
    assert cluster.create(ROUTE, route)[0] == "default/r"
    with connect(servers.ports["kubernetes"]) as other:
        other.configure(kubeconfig=make_cluster(gcp, "two"))
        with pytest.raises(RefusedError, match="feature 'gateway', which is off"):
            other.create(ROUTE, route)


def test_inference_pools_need_a_recent_cluster(gcp: Client, servers: Servers) -> None:
    features = {"gatewayApiConfig": {"channel": "CHANNEL_STANDARD"}}
    spec = {
        "selector": {"matchLabels": {"app": "vllm"}},
        "targetPorts": [{"number": 8000}],
        "endpointPickerRef": {"name": "picker", "port": {"number": 9002}},
    }
    old = make_cluster(gcp, "old", minMasterVersion="1.33.4-gke.1000000", **features)
    with connect(servers.ports["kubernetes"]) as client:
        client.configure(kubeconfig=old)
        with pytest.raises(RefusedError, match=r"GKE installs it from 1\.34"):
            client.create(
                "kubernetes:inference.networking.k8s.io/v1:InferencePool",
                {"metadata": {"name": "p"}, "spec": spec},
            )


def test_versions_no_cluster_serves_are_refused(cluster: Client) -> None:
    with pytest.raises(RefusedError, match="no matches for kind"):
        cluster.create(
            "kubernetes:apps/v1beta1:Deployment", deployment() | {"apiVersion": "apps/v1beta1"}
        )


@pytest.mark.parametrize(
    ("pod", "missing"),
    [
        ({"serviceAccountName": "robot"}, 'serviceaccounts "robot" not found'),
        ({"volumes": [{"name": "v", "configMap": {"name": "m"}}]}, 'configmaps "m" not found'),
        ({"volumes": [{"name": "v", "secret": {"secretName": "s"}}]}, 'secrets "s" not found'),
    ],
)
def test_pods_need_what_they_mount(cluster: Client, pod: dict[str, Any], missing: str) -> None:
    with pytest.raises(RefusedError, match="failed to fully initialize") as refused:
        cluster.create(DEPLOYMENT, deployment(**pod))
    assert missing in str(refused.value)
    assert cluster.read(DEPLOYMENT, "default/app")[0] == ""


def test_a_selector_must_match_its_pods(cluster: Client) -> None:
    wrong = deployment()
    wrong["spec"]["selector"] = {"matchLabels": {"app": "other"}}
    _, failures = cluster.checked(DEPLOYMENT, wrong)
    assert [failure.path for failure in failures] == ["spec.selector.matchLabels.app"]
    wrong["spec"]["selector"] = {}
    _, failures = cluster.checked(DEPLOYMENT, wrong)
    assert "empty selector is invalid" in failures[0].reason
    wrong["spec"]["selector"] = {"matchLabels": {"app": UNKNOWN}}
    assert cluster.checked(DEPLOYMENT, wrong)[1] == []


@pytest.mark.parametrize(
    ("token", "metadata", "path"),
    [
        (CONFIG_MAP, {"name": "Settings"}, "metadata.name"),
        (SERVICE, {"name": "1st"}, "metadata.name"),
        (NAMESPACE, {"name": "a.b"}, "metadata.name"),
        (CONFIG_MAP, {"name": "a", "labels": {"a": "b c"}}, "metadata.labels.a"),
    ],
)
def test_bad_names_and_labels_are_refused(
    cluster: Client, token: str, metadata: dict[str, Any], path: str
) -> None:
    _, failures = cluster.checked(token, {"metadata": metadata})
    assert [failure.path for failure in failures] == [path]


def test_an_optional_volume_may_be_missing(cluster: Client) -> None:
    volume = {"name": "v", "configMap": {"name": "m", "optional": True}}
    assert cluster.create(DEPLOYMENT, deployment(volumes=[volume]))[0]


def test_a_reference_may_come_a_little_later(
    cluster: Client, servers: Servers, gcp: Client
) -> None:
    with ThreadPoolExecutor(1) as pool, connect(servers.ports["kubernetes"]) as other:
        other.configure(kubeconfig=make_kubeconfig(gcp))
        waiting = pool.submit(cluster.create, DEPLOYMENT, deployment(serviceAccountName="robot"))
        other.create("kubernetes:core/v1:ServiceAccount", {"metadata": {"name": "robot"}})
        assert waiting.result()[0] == "default/app"


def test_a_route_into_another_namespace_dangles_without_a_grant(
    cluster: Client, world: World
) -> None:
    cluster.create(NAMESPACE, {"metadata": {"name": "models"}})
    cluster.create(SERVICE, {"metadata": {"name": "web", "namespace": "models"}, "spec": {}})
    backend = {"name": "web", "namespace": "models", "port": 80}
    route = {"metadata": {"name": "r"}, "spec": {"rules": [{"backendRefs": [backend]}]}}
    cluster.create(ROUTE, route)
    (line,) = dangling(world)
    assert "no ReferenceGrant there allows HTTPRoutes of 'default'" in line
    origin = {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": "default"}
    cluster.create(
        "kubernetes:gateway.networking.k8s.io/v1beta1:ReferenceGrant",
        {
            "metadata": {"name": "g", "namespace": "models"},
            "spec": {"from": [origin], "to": [{"group": "", "kind": "Service"}]},
        },
    )
    assert dangling(world) == []


def test_workload_identity_annotations_name_real_accounts(cluster: Client, gcp: Client) -> None:
    email = "robots@acme.iam.gserviceaccount.com"
    annotations = {"iam.gke.io/gcp-service-account": email}
    account = {"metadata": {"name": "robot", "annotations": annotations}}
    with pytest.raises(RefusedError, match="does not exist"):
        cluster.create("kubernetes:core/v1:ServiceAccount", account)
    gcp.enable("iam")
    gcp.create("gcp:serviceaccount/account:Account", {"accountId": "robots"})
    assert cluster.create("kubernetes:core/v1:ServiceAccount", account)[0]


def test_a_release_is_installed_and_brings_its_kinds(cluster: Client) -> None:
    release = "kubernetes:helm.sh/v3:Release"
    inputs = {"chart": "oci://registry.k8s.io/lws/charts/lws", "version": "0.8.0"}
    id_, made = cluster.create(
        release, {**inputs, "name": "lws", "namespace": "lws-system", "createNamespace": True}
    )
    assert id_ == "lws-system/lws"
    assert made["status"]["status"] == "deployed"
    kind = "kubernetes:leaderworkerset.x-k8s.io/v1:LeaderWorkerSet"
    _, failures = cluster.checked(kind, {"metadata": {"name": "x"}, "spec": {}})
    if not failures:
        assert cluster.create(kind, {"metadata": {"name": "x"}, "spec": {}})[0] == "default/x"


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

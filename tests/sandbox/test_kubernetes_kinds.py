"""Which kinds a cluster serves, their schemas, and what objects refer to."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from sandbox.kubernetes.references import dangling
from sandbox.providers import Servers
from sandbox.values import UNKNOWN
from sandbox.world import World
from tests.sandbox.client import Client, RefusedError, connect
from tests.sandbox.clusters import deployment, make_cluster, make_kubeconfig

CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
NAMESPACE = "kubernetes:core/v1:Namespace"
SERVICE = "kubernetes:core/v1:Service"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
DEFINITION = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"
ROUTE = "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute"
SPROCKET = "kubernetes:acme.example/v1:Sprocket"


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

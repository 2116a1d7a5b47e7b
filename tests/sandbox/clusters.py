"""Clusters and objects for the tests of the Kubernetes provider."""

import json
from typing import Any

from tests.sandbox.client import Client

CLUSTER = "gcp:container/cluster:Cluster"


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


def make_kubeconfig(gcp: Client) -> str:
    cluster = gcp.read(CLUSTER, "projects/acme/locations/us-central1/clusters/one")[2]
    return kubeconfig(cluster["controlPlaneEndpointsConfig"]["dnsEndpointConfig"]["endpoint"])


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

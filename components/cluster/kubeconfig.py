"""Kubeconfig of a cluster that is reached by its DNS endpoint."""

import json


def render(cluster_name: str, dns_endpoint: str) -> str:
    """Return the kubeconfig as JSON, which is YAML too.

    It holds no secret: the plugin `gke-gcloud-auth-plugin` asks for a token of whoever runs it. The
    endpoint's certificate is signed by a public authority, so none is given.
    https://cloud.google.com/kubernetes-engine/docs/how-to/dns-based-endpoint
    """
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": cluster_name, "cluster": {"server": f"https://{dns_endpoint}"}},
            ],
            "users": [
                {
                    "name": cluster_name,
                    "user": {
                        "exec": {
                            "apiVersion": "client.authentication.k8s.io/v1beta1",
                            "command": "gke-gcloud-auth-plugin",
                            "installHint": (
                                "gcloud components install gke-gcloud-auth-plugin, see "
                                "https://cloud.google.com/kubernetes-engine/docs/how-to/"
                                "cluster-access-for-kubectl"
                            ),
                            "interactiveMode": "IfAvailable",
                            "provideClusterInfo": True,
                        },
                    },
                },
            ],
            "contexts": [
                {
                    "name": cluster_name,
                    "context": {"cluster": cluster_name, "user": cluster_name},
                },
            ],
            "current-context": cluster_name,
        },
        indent=2,
    )

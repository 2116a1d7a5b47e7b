"""An inference gateway as a published sample has it: paths instead of model names.

Three prefixes lead to one pool, and only two of them have an extension chain: `/security/` has
Model Armor, `/cache/` has API management, and `/v1/`, which clients use, has nothing.
"""

import json
from typing import Any

import pulumi_gcp as gcp
import pulumi_kubernetes as kubernetes
from pulumi import ResourceOptions

NAMESPACE = "inference-gateway"
TEMPLATE = "projects/acme-inference-dev/locations/us-central1/templates/all"
ARMOR: dict[str, Any] = {
    "name": "model-armor",
    "googleAPIServiceName": "modelarmor.us-central1.rep.googleapis.com",
    "timeout": "5s",
    "failOpen": False,
    "supportedEvents": ["RequestHeaders", "RequestBody", "ResponseHeaders", "ResponseBody"],
    "metadata": {
        "model_armor_settings": json.dumps(
            [
                {
                    "model": "default",
                    "user_prompt_template_id": TEMPLATE,
                    "model_response_template_id": TEMPLATE,
                }
            ]
        )
    },
}
CACHE: dict[str, Any] = {
    "name": "semantic-cache",
    "backendRef": {
        "group": "apim.googleapis.com",
        "kind": "ApigeeBackendService",
        "name": "semantic-cache",
        "port": 443,
    },
    "timeout": "10s",
    "supportedEvents": ["RequestHeaders", "RequestBody"],
}


def chain(prefix: str, *extensions: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": prefix.strip("/") or "all",
        "matchCondition": {
            "celExpressions": [{"celMatcher": f'request.path.startsWith("{prefix}")'}]
        },
        "extensions": list(extensions),
    }


AS_PUBLISHED = (chain("/cache/", CACHE), chain("/security/", ARMOR))
CORRECTED = (chain("/", CACHE, ARMOR),)


def make(*chains: dict[str, Any], prefixes: tuple[str, ...]) -> None:
    """Make the gateway's objects in the running program."""
    gcp.modelarmor.Template(
        "all",
        template_id="all",
        project="acme-inference-dev",
        location="us-central1",
        filter_config={"pi_and_jailbreak_filter_settings": {"filter_enforcement": "ENABLED"}},
    )
    options = ResourceOptions(provider=kubernetes.Provider("cluster", kubeconfig="{}"))

    def custom(version: str, kind: str, name: str, spec: dict[str, Any]) -> None:
        kubernetes.apiextensions.CustomResource(
            name,
            version,
            kind,
            metadata={"name": name, "namespace": NAMESPACE},
            spec=spec,
            opts=options,
        )

    gateway = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "gateway"}
    pool = {"group": "inference.networking.k8s.io", "kind": "InferencePool", "name": "gemma"}
    custom(
        "gateway.networking.k8s.io/v1",
        "Gateway",
        "gateway",
        {
            "gatewayClassName": "gke-l7-rilb",
            "listeners": [
                {
                    "name": "https",
                    "protocol": "HTTPS",
                    "port": 443,
                    "tls": {"options": {"networking.gke.io/cert-manager-certs": "gateway"}},
                }
            ],
        },
    )
    custom(
        "networking.gke.io/v1",
        "GCPGatewayPolicy",
        "gateway-tls",
        {"targetRef": gateway, "default": {"sslPolicy": "modern"}},
    )
    custom("apim.googleapis.com/v1", "ApigeeBackendService", "semantic-cache", {})
    custom(
        "inference.networking.k8s.io/v1",
        "InferencePool",
        "gemma",
        {
            "selector": {"matchLabels": {"app": "gemma"}},
            "targetPorts": [{"number": 8000}],
            "endpointPickerRef": {"name": "picker", "port": {"number": 9002}},
        },
    )
    custom(
        "networking.gke.io/v1",
        "HealthCheckPolicy",
        "gemma-health",
        {"targetRef": pool, "default": {"config": {"type": "HTTP"}}},
    )
    for prefix in prefixes:
        custom(
            "gateway.networking.k8s.io/v1",
            "HTTPRoute",
            f"{prefix.strip('/')}-{'exact' if prefix[-1] != '/' else 'below'}",
            {
                "parentRefs": [gateway],
                "rules": [
                    {
                        "matches": [{"path": {"type": "PathPrefix", "value": prefix}}],
                        "backendRefs": [pool],
                    }
                ],
            },
        )
    custom(
        "networking.gke.io/v1",
        "GCPTrafficExtension",
        "guardrails",
        {"targetRefs": [gateway], "extensionChains": list(chains)},
    )
    for app, port in (("gemma", 8000), ("picker", 9002)):
        kubernetes.apps.v1.Deployment(
            app,
            metadata={"name": app, "namespace": NAMESPACE},
            spec={
                "replicas": 1,
                "selector": {"match_labels": {"app": app}},
                "template": {
                    "metadata": {"labels": {"app": app}},
                    "spec": {"containers": [container(app, port)]},
                },
            },
            opts=options,
        )
    kubernetes.core.v1.Service(
        "picker",
        metadata={"name": "picker", "namespace": NAMESPACE},
        spec={"selector": {"app": "picker"}, "ports": [{"port": 9002}]},
        opts=options,
    )


def container(app: str, port: int) -> Any:
    amounts = {"cpu": "1", "memory": "1Gi"}
    return {
        "name": app,
        "image": f"us-central1-docker.pkg.dev/acme-inference-dev/app/{app}:1",
        "args": ["--served-model-name=gemma"] if app == "gemma" else [],
        "ports": [{"container_port": port}],
        "resources": {"requests": amounts, "limits": {"memory": "1Gi"}},
    }

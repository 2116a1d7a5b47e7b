"""ExternalBackend: answers a share of a model's requests outside the cluster.

Owns the proxy, its account and the grant that account needs. Does not own the server behind it, nor
the routes to it (InferenceGateway).
"""

import hashlib
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_gcp as gcp
import pulumi_kubernetes as kubernetes

from catalog.limits import inference as limits
from components.inference import envoy_bootstrap, pods
from components.inference.custom_resources import (
    BACKEND_POLICY,
    SERVICE,
    Identity,
    custom_resource,
    http_health_check,
    pod_monitoring,
)
from components.inference.external_backend_arguments import (
    ExternalBackendArgs,
    VertexAi,
    validate_external_backend,
)
from components.inference.external_backend_pod import (
    CONFIG_FILE,
    DRAIN_SECONDS,
    envoy_config,
    pod_spec,
)
from components.inference.workloads import (
    PROXY_REPLICAS,
    cpu_autoscaler,
    disruption_budget,
    service_account,
)
from components.names import dns_label
from components.ready import after
from components.validation import component_type, register

PREDICT = "aiplatform.endpoints.predict"


class ExternalBackend(pulumi.ComponentResource):
    """Makes a proxy in the cluster that forwards OpenAI API requests to a server outside of it.

    A GKE Gateway routes to objects of its cluster only, so a small Envoy stands there for Vertex AI
    or another server. It drops the client's credentials; for Vertex AI it adds an access token of
    its own account, which may predict and nothing else: on the endpoint, or, as Google's own models
    have none, in the project. The model name reaches the server as the client sent it.

    Not tried on a cloud: whether Vertex AI takes the token of a Kubernetes account that stands for
    no service account, and the dedicated DNS name of an endpoint inside an enforced perimeter,
    whose private zones cover googleapis.com only. A server that asks for a key is not supported.
    https://cloud.google.com/vertex-ai/generative-ai/docs/start/openai
    """

    service_name: pulumi.Output[str]
    """Name of the Service, known once the proxy is ready and its policies are there."""
    port: int
    """Port of the Service."""

    def __init__(
        self,
        name: str,
        args: ExternalBackendArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(component_type(ExternalBackend), name, {}, opts)
        validate_external_backend(name, args).raise_if_any(name)
        physical_name = dns_label(name)
        selector = pods.selector_labels("external-backend", physical_name)
        identity = Identity(physical_name, args["namespace"], selector)
        child = pulumi.ResourceOptions(parent=self)
        self.port = envoy_bootstrap.PORT

        deployment = self._deployment(name, args, identity, selector)
        service = kubernetes.core.v1.Service(
            f"{name}-service",
            metadata=identity.metadata(),
            spec={
                "selector": selector,
                "ports": [
                    {"name": "http", "port": self.port, "target_port": self.port, "protocol": "TCP"}
                ],
            },
            opts=child,
        )
        disruption_budget(name, identity, selector, child)
        cpu_autoscaler(name, identity, deployment.metadata.name, PROXY_REPLICAS, child)
        pod_monitoring(f"{name}-monitoring", identity, selector, ["metrics"], child)
        policies = self._policies(name, args, identity)
        self.service_name = after(
            physical_name, service.id, deployment.id, *[policy.id for policy in policies]
        )
        register(self)

    def _policies(
        self, name: str, args: ExternalBackendArgs, identity: Identity
    ) -> Sequence[pulumi.CustomResource]:
        target = {"group": "", "kind": SERVICE.kind, "name": identity.name}
        child = pulumi.ResourceOptions(parent=self)
        default: dict[str, object] = {
            "timeoutSec": args.get(
                "request_timeout_seconds", limits.REQUEST_TIMEOUT_SECONDS.default
            ),
            "connectionDraining": {"drainingTimeoutSec": DRAIN_SECONDS},
            "logging": {"enabled": True, "sampleRate": 1_000_000},
        }
        if "security_policy" in args:
            default["securityPolicy"] = args["security_policy"]
        return [
            http_health_check(
                f"{name}-health-check",
                identity,
                target,
                envoy_bootstrap.HEALTH_PATH,
                self.port,
                child,
            ),
            custom_resource(
                f"{name}-backend-policy",
                BACKEND_POLICY,
                identity,
                {"targetRef": target, "default": default},
                child,
            ),
        ]

    def _deployment(
        self,
        name: str,
        args: ExternalBackendArgs,
        identity: Identity,
        selector: Mapping[str, str],
    ) -> kubernetes.apps.v1.Deployment:
        child = pulumi.ResourceOptions(parent=self)
        least, _ = PROXY_REPLICAS
        account = service_account(name, identity, child)
        needed: list[pulumi.Resource] = [account]
        if "vertex_ai" in args:
            needed.append(self._grant(name, args, args["vertex_ai"], identity.name))
        config = pulumi.Output.from_input(args["project"]).apply(
            lambda project: envoy_config(project, args)
        )
        config_map = kubernetes.core.v1.ConfigMap(
            f"{name}-config",
            metadata=identity.metadata(),
            data={CONFIG_FILE: config},
            opts=child,
        )
        checksum = config.apply(lambda text: hashlib.sha256(text.encode()).hexdigest())
        return kubernetes.apps.v1.Deployment(
            f"{name}-deployment",
            metadata=identity.metadata(),
            spec={
                "replicas": least,
                "selector": {"match_labels": selector},
                "template": {
                    "metadata": {
                        "labels": dict(identity.labels),
                        # Envoy reads its configuration only when it starts.
                        "annotations": {"checksum/config": checksum},
                    },
                    "spec": pod_spec(identity.name, selector, args),
                },
            },
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=[*needed, config_map], ignore_changes=["spec.replicas"]
            ),
        )

    def _grant(
        self, name: str, args: ExternalBackendArgs, vertex_ai: VertexAi, account: str
    ) -> pulumi.Resource:
        child = pulumi.ResourceOptions(parent=self)
        role = gcp.projects.IAMCustomRole(
            f"{name}-role",
            project=args["project"],
            role_id=dns_label(name).replace("-", "_"),
            title=f"Predict for {name}",
            permissions=[PREDICT],
            opts=child,
        )
        member = pulumi.Output.format(
            "principal://iam.googleapis.com/projects/{0}/locations/global/workloadIdentityPools/{1}"
            "/subject/ns/{2}/sa/{3}",
            args["project_number"],
            args["workload_pool"],
            args["namespace"],
            account,
        )
        endpoint = vertex_ai.get("endpoint", limits.OPENAPI)
        if endpoint == limits.OPENAPI:
            return gcp.projects.IAMMember(
                f"{name}-predicts",
                project=args["project"],
                role=role.id,
                member=member,
                opts=child,
            )
        return gcp.vertex.AiEndpointIamMember(
            f"{name}-predicts",
            project=args["project"],
            location=vertex_ai["region"],
            endpoint=endpoint,
            role=role.id,
            member=member,
            opts=child,
        )


__all__ = ["ExternalBackend", "ExternalBackendArgs", "validate_external_backend"]

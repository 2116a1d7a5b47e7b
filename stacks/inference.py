"""Large models: in each region a cluster, GPU pools, model servers and the Inference Gateway."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp
import pulumi_kubernetes as kubernetes

from components.cluster.gke_cluster import GkeCluster
from components.cluster.gpu_node_pool import GpuNodePool
from components.cluster.gpu_node_pool_arguments import GpuNodePoolArgs
from components.cluster.image_mirror import DEFAULT_UPSTREAMS, ImageMirror, Upstream
from components.inference.inference_crds import InferenceCrds
from components.inference.inference_gateway import InferenceGateway
from components.inference.inference_gateway_arguments import InferenceGatewayArgs
from components.inference.leader_worker_sets import LeaderWorkerSets
from components.inference.model_server import ModelServer
from components.inference.model_server_arguments import ModelServerArgs
from components.network.perimeter_arguments import ENFORCED
from components.network.vpc import PODS_RANGE, SERVICES_RANGE
from components.network.vpc_perimeter import VpcPerimeter
from components.operations.metrics_adapter import MetricsAdapter
from components.ready import after
from config.gpu_pools import GpuPool
from config.models import ReplicaSet
from config.platform import Platform
from stacks.backends import backend_name, pool_of, route_of
from stacks.callouts import replica_guardrail
from stacks.certificates import GatewayCertificate, build_certificate
from stacks.edge_protection import build_edge_protection
from stacks.external_backends import build_external_backends
from stacks.foundation import PLATFORM, Foundation
from stacks.request_chain import ChainBuilder, ChainParts, build_chain_parts

HUGGING_FACE_SECRET = "hugging-face-token"  # noqa: S105 the name of a secret
SECONDS_PER_HOUR = 3600
GOOGLE_REGISTRY: Upstream = {"host": "gcr.io", "uri": "https://gcr.io"}


@dataclass(frozen=True)
class Region:
    """What serves models in one region."""

    cluster: GkeCluster
    certificate: GatewayCertificate
    gateway: InferenceGateway
    forwarding_rule: pulumi.Output[str]
    """Of the gateway, once its chain is there: nobody connects before."""


def build_inference(
    platform: Platform, foundation: Foundation, perimeter: VpcPerimeter | None
) -> Mapping[str, Region]:
    """Makes every region of the platform; no region depends on another."""
    secret = _hugging_face_secret(platform, foundation)
    parts = build_chain_parts(platform, foundation)
    return {
        name: _RegionBuilder(platform, foundation, name, secret, perimeter, parts).build()
        for name in platform.regions
    }


def _hugging_face_secret(platform: Platform, foundation: Foundation) -> pulumi.Output[str] | None:
    """The secret for the token of gated models. Its value is added by hand, never seen here."""
    if not any(model.gated for model in platform.models.values()):
        return None
    return gcp.secretmanager.Secret(
        HUGGING_FACE_SECRET,
        project=foundation.services.project_for("secretmanager"),
        secret_id=HUGGING_FACE_SECRET,
        replication={"auto": {}},
        deletion_protection=platform.deletion_protection,
        opts=pulumi.ResourceOptions(
            provider=foundation.provider, protect=platform.deletion_protection
        ),
    ).secret_id


@dataclass(frozen=True)
class _RegionBuilder:
    platform: Platform
    foundation: Foundation
    region: str
    secret: pulumi.Output[str] | None
    perimeter: VpcPerimeter | None
    parts: ChainParts

    @property
    def name(self) -> str:
        return f"{PLATFORM}-{self.region}"

    @property
    def hostnames(self) -> tuple[str, ...]:
        return self.platform.gateway.hostnames([self.region])

    def build(self) -> Region:
        cluster = self._cluster()
        images = self._images(cluster)
        pools = {
            name: self._gpu_pool(cluster, name, pool)
            for name, pool in self.platform.pools_in(self.region).items()
        }
        certificate = self._certificate()
        provider = kubernetes.Provider(
            self.name, kubeconfig=cluster.kubeconfig, enable_server_side_apply=True
        )
        in_cluster = pulumi.ResourceOptions(providers=[self.foundation.provider, provider])
        namespace = kubernetes.core.v1.Namespace(
            self.name,
            metadata={
                "name": PLATFORM,
                "labels": {"pod-security.kubernetes.io/enforce": "restricted"},
            },
            opts=pulumi.ResourceOptions(provider=provider),
        ).metadata.name
        definitions = InferenceCrds(self.name, {}, in_cluster)
        if self.platform.autoscales_in(self.region):
            self._metrics_adapter(cluster, images, in_cluster)
        groups = None
        if self.platform.spans_nodes_in(self.region):
            image = images.reference(self.platform.image("leader_worker_set"))
            groups = LeaderWorkerSets(self.name, {"image": image}, in_cluster).api_version
        servers = {
            backend_name(model, replica_set): self._server(
                cluster, pools, images, namespace, model, replica_set, groups, in_cluster
            )
            for model, _, replica_set in self.platform.replica_sets_in(self.region)
        }
        security_policy = build_edge_protection(self.platform, self.foundation, self.region)
        gateway_args: InferenceGatewayArgs = {
            "project": self.foundation.services.project_for("compute"),
            "region": self.region,
            "namespace": namespace,
            "subnetwork": self.foundation.vpc.node_subnetwork_ids[self.region],
            "hostname": self.platform.gateway.hostname,
            "additional_hostnames": self.hostnames[1:],
            "certificate": certificate.name,
            "pools": [
                pool_of(model, backend_name(name, replica_set), servers)
                for name, model, replica_set in self.platform.replica_sets_in(self.region)
            ],
            "external": build_external_backends(
                self.platform,
                self.foundation,
                self.region,
                cluster,
                images,
                namespace,
                security_policy,
                in_cluster,
            ),
            "routes": [
                route_of(name, model)
                for name, model in self.platform.models_in(self.region).items()
            ],
            "request_timeout_seconds": self.platform.gateway.request_timeout_seconds,
            "proxy_only_subnetwork": self.foundation.vpc.proxy_only_subnetwork_ids[self.region],
            "extension_api_group": definitions.api_group,
            "picker": {"image": images.reference(self.platform.image("endpoint_picker"))},
            "router_image": images.reference(self.platform.image("body_based_router")),
        }
        if security_policy is not None:
            gateway_args["security_policy"] = security_policy
        gateway = InferenceGateway(self.name, gateway_args, in_cluster)
        chain = ChainBuilder(
            *(self.platform, self.foundation, self.parts, self.region),
            *(cluster, images, namespace, in_cluster),
        ).build(gateway)
        forwarding_rule = gateway.forwarding_rule
        if chain is not None:
            forwarding_rule = after(forwarding_rule, chain.extension_name)
        return Region(cluster, certificate, gateway, forwarding_rule)

    def _cluster(self) -> GkeCluster:
        vpc = self.foundation.vpc
        return GkeCluster(
            self.name,
            {
                "project": self.foundation.services.project_for("container", "iam"),
                "region": self.region,
                "network": vpc.network_id,
                "subnetwork": vpc.node_subnetwork_ids[self.region],
                "pods_range": PODS_RANGE,
                "services_range": SERVICES_RANGE,
                "deletion_protection": self.platform.deletion_protection,
            },
            self.foundation.google,
        )

    def _images(self, cluster: GkeCluster) -> ImageMirror:
        enforced = self.platform.perimeter is not None and self.platform.perimeter.mode == ENFORCED
        project = self.foundation.services.project_for("artifactregistry")
        if enforced and self.perimeter is not None:
            # Fetching through a perimeter can only be allowed once the project is inside one.
            project = after(project, self.perimeter.perimeter_name)
        upstreams = dict(DEFAULT_UPSTREAMS)
        if self.platform.autoscales_in(self.region):
            upstreams["google"] = GOOGLE_REGISTRY
        return ImageMirror(
            self.name,
            {
                "project": project,
                "region": self.region,
                "upstreams": upstreams,
                "readers": {"nodes": cluster.node_service_account},
                "vpc_service_controls": enforced,
            },
            self.foundation.google,
        )

    def _gpu_pool(self, cluster: GkeCluster, name: str, pool: GpuPool) -> GpuNodePool:
        args: GpuNodePoolArgs = {
            "project": self.foundation.services.project_for("container"),
            "region": self.region,
            "cluster": cluster.cluster_name,
            "machine_type": pool.machine_type,
            "capacity": pool.capacity,
            "min_nodes": pool.min_nodes,
            "max_nodes": pool.max_nodes,
            "node_service_account": cluster.node_service_account,
            "node_locations": pool.zones_in(self.region),
            "driver_version": pool.driver,
            "disk_gib": pool.disk_gib,
            "rdma": pool.rdma,
            "node_labels": pool.labels,
            "taints": [
                {"key": taint.key, "value": taint.value, "effect": taint.effect}
                for taint in pool.taints
            ],
        }
        if pool.reservation is not None:
            args["reservation"] = pool.reservation
        if pool.max_run_hours is not None:
            args["max_run_seconds"] = pool.max_run_hours * SECONDS_PER_HOUR
        return GpuNodePool(f"{name}-{self.region}", args, self.foundation.google)

    def _metrics_adapter(
        self, cluster: GkeCluster, images: ImageMirror, options: pulumi.ResourceOptions
    ) -> MetricsAdapter:
        return MetricsAdapter(
            self.name,
            {
                "project": self.foundation.services.project_for("monitoring", "iam"),
                "project_number": self.foundation.services.project_number,
                "workload_pool": cluster.workload_pool,
                "image": images.reference(self.platform.image("metrics_adapter")),
            },
            options,
        )

    def _certificate(self) -> GatewayCertificate:
        return build_certificate(self.platform, self.foundation, self.region, self.hostnames)

    def _server(
        self,
        cluster: GkeCluster,
        pools: Mapping[str, GpuNodePool],
        images: ImageMirror,
        namespace: pulumi.Output[str],
        name: str,
        replica_set: ReplicaSet,
        groups: pulumi.Output[str] | None,
        options: pulumi.ResourceOptions,
    ) -> ModelServer:
        model, services = self.platform.models[name], self.foundation.services
        pool = self.platform.gpu_pools[replica_set.node_pool]
        args: ModelServerArgs = {
            "project": services.project_for("secretmanager", "storage"),
            "project_number": services.project_number,
            "workload_pool": cluster.workload_pool,
            "namespace": namespace,
            "model": name,
            "source": replica_set.source or model.source or "",
            "image": images.reference(self.platform.image("vllm")),
            "node_selector": pools[replica_set.node_pool].node_selector,
            "gpus": replica_set.gpus,
            "replicas": replica_set.replicas,
            "adapters": [
                {"name": adapter.name, "source": adapter.source} for adapter in model.adapters
            ],
            "gated": model.gated,
            "server_args": model.server_args,
            "tolerations": [
                {"key": taint.key, "operator": "Equal", "value": taint.value}
                for taint in pool.taints
            ],
        }
        if replica_set.nodes > 1 and groups is not None:
            args["nodes"] = replica_set.nodes
            args["leader_worker_set_api"] = groups
            args["rdma"] = pool.rdma
        if replica_set.max_replicas is not None:
            args["max_replicas"] = replica_set.max_replicas
        if replica_set.queue_per_replica is not None:
            args["queue_per_replica"] = replica_set.queue_per_replica
        if model.max_context is not None:
            args["max_context"] = model.max_context
        guardrail = self.platform.replica_guardrail(model)
        if guardrail is not None:
            args["guardrail"] = replica_guardrail(guardrail, images)
        if model.gated and self.secret is not None:
            args["hugging_face_secret"] = self.secret
        return ModelServer(f"{backend_name(name, replica_set)}-{self.region}", args, options)

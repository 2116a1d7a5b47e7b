"""Large models: in each region a cluster, GPU pools, model servers and the Inference Gateway."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from components.cluster.compute_class import ComputeClass
from components.cluster.existing_gke_cluster import ExistingGkeCluster
from components.cluster.gke_cluster import GkeCluster
from components.cluster.gpu_node_pool import GpuNodePool
from components.cluster.gpu_node_pool_arguments import GpuNodePoolArgs
from components.cluster.image_mirror import ImageMirror
from components.inference.endpoint_picker import picker_name
from components.inference.inference_crds import InferenceCrds
from components.inference.inference_gateway import InferenceGateway
from components.inference.inference_gateway_arguments import InferenceGatewayArgs
from components.inference.leader_worker_sets import LeaderWorkerSets
from components.inference.model_server import ModelServer
from components.inference.model_server_arguments import ModelServerArgs
from components.inference.namespace_isolation import NamespaceIsolation
from components.network.vpc import HEALTH_CHECK_RANGES
from components.operations.metrics_adapter import MetricsAdapter
from components.ready import after
from config.gpu_pools import GpuPool
from config.models import ReplicaSet
from config.platform import Platform
from stacks.arguments import to_args
from stacks.backends import backend_name, pool_of, route_of, server_name
from stacks.callouts import replica_guardrail
from stacks.certificates import GatewayCertificate, build_certificate
from stacks.clusters import RegionCluster, build_cluster
from stacks.edge_protection import build_edge_protection
from stacks.external_backends import build_external_backends
from stacks.foundation import Foundation
from stacks.images import Images
from stacks.request_chain import ChainBuilder, ChainParts, build_chain_parts
from stacks.teams import build_access

HUGGING_FACE_SECRET = "hugging-face-token"  # noqa: S105 the name of a secret


@dataclass(frozen=True)
class Region:
    """What serves models in one region."""

    cluster: GkeCluster | ExistingGkeCluster
    certificate: GatewayCertificate
    gateway: InferenceGateway
    forwarding_rule: pulumi.Output[str]
    """Of the gateway, once its chain is there: nobody connects before."""
    keys: Mapping[str, pulumi.Output[str]]
    """Of its consumers, by name; empty where it asks for none."""
    images: ImageMirror
    """What its clusters pull of other registries."""


def build_inference(
    platform: Platform, foundation: Foundation, images: Images, perimeter: pulumi.Output[str] | None
) -> Mapping[str, Region]:
    """Make every region of the platform; no region depends on another."""
    secret = _hugging_face_secret(platform, foundation)
    build_access(platform, foundation)
    parts = build_chain_parts(platform, foundation)
    clusters = {
        name: build_cluster(platform, foundation, images, name, perimeter)
        for name in platform.regions
    }
    return {
        name: _RegionBuilder(platform, foundation, cluster, secret, parts).build()
        for name, cluster in clusters.items()
    }


def _hugging_face_secret(platform: Platform, foundation: Foundation) -> pulumi.Output[str] | None:
    """Return the secret for the token of gated models. Its value is added by hand, never seen
    here."""
    if not any(model.gated for model in platform.models.values()):
        return None
    return gcp.secretmanager.Secret(
        HUGGING_FACE_SECRET,
        project=foundation.services.project_for("secretmanager"),
        secret_id=HUGGING_FACE_SECRET,
        replication={"auto": {}},
        deletion_protection=platform.deletion_protection,
        opts=pulumi.ResourceOptions.merge(
            foundation.google, pulumi.ResourceOptions(protect=platform.deletion_protection)
        ),
    ).secret_id


@dataclass(frozen=True)
class _RegionBuilder:
    platform: Platform
    foundation: Foundation
    cluster: RegionCluster
    secret: pulumi.Output[str] | None
    parts: ChainParts

    @property
    def region(self) -> str:
        return self.cluster.region

    @property
    def hostnames(self) -> tuple[str, ...]:
        return self.platform.gateway.hostnames([self.region])

    def build(self) -> Region:
        cluster = self.cluster
        pools = {
            name: self._gpu_pool(name, pool)
            for name, pool in self.platform.pools_in(self.region).items()
        }
        selectors = self._selectors(pools)
        if self.platform.gateway.isolated:
            proxies = self.platform.regions[self.region].proxy_only
            NamespaceIsolation(
                cluster.name,
                {
                    "namespace": cluster.namespace,
                    "load_balancer_ranges": [*HEALTH_CHECK_RANGES, proxies],
                },
                cluster.options,
            )
        if self.platform.autoscales_in(self.region):
            self._metrics_adapter()
        groups = None
        if self.platform.spans_nodes_in(self.region):
            image = self._image("leader_worker_set")
            groups = LeaderWorkerSets(cluster.name, {"image": image}, cluster.options).api_version
        servers = {
            backend_name(model, replica_set): self._server(selectors, model, replica_set, groups)
            for model, _, replica_set in self.platform.replica_sets_in(self.region)
        }
        certificate = build_certificate(self.platform, self.foundation, self.region, self.hostnames)
        gateway = self._gateway(servers, certificate)
        chain = ChainBuilder(self.platform, self.foundation, self.parts, cluster).build(gateway)
        forwarding_rule = gateway.forwarding_rule
        if chain is not None:
            forwarding_rule = after(forwarding_rule, chain.extension_name)
        keys = {} if self.parts.api is None else self.parts.api.keys
        return Region(cluster.gke, certificate, gateway, forwarding_rule, keys, cluster.images)

    def _image(self, name: str) -> pulumi.Input[str]:
        return self.cluster.images.reference(self.platform.image(name))

    def _gateway(
        self, servers: Mapping[str, ModelServer], certificate: GatewayCertificate
    ) -> InferenceGateway:
        cluster = self.cluster
        definitions = InferenceCrds(cluster.name, {}, cluster.options)
        security_policy = build_edge_protection(self.platform, self.foundation, self.region)
        args: InferenceGatewayArgs = {
            "project": self.foundation.services.project_for("compute"),
            "region": self.region,
            "namespace": cluster.namespace,
            "subnetwork": self.foundation.node_subnetwork_ids[self.region],
            "hostname": self.platform.gateway.hostname,
            "additional_hostnames": self.hostnames[1:],
            "certificate": certificate.name,
            "pools": [
                pool_of(
                    model,
                    replica_set,
                    backend_name(name, replica_set),
                    servers,
                    cluster.namespaces[self.platform.namespace_of(model)],
                )
                for name, model, replica_set in self.platform.replica_sets_in(self.region)
            ],
            "external": build_external_backends(
                self.platform, self.foundation, cluster, security_policy
            ),
            "routes": [
                route_of(name, model, self.platform.namespace_of(model))
                for name, model in self.platform.models_in(self.region).items()
            ],
            "request_timeout_seconds": self.platform.gateway.request_timeout_seconds,
            "proxy_only_subnetwork": self.foundation.vpc.proxy_only_subnetwork_ids[self.region],
            "extension_api_group": definitions.api_group,
            "picker_image": self._image("endpoint_picker"),
            "router_image": self._image("body_based_router"),
        }
        if security_policy is not None:
            args["security_policy"] = security_policy
        return InferenceGateway(cluster.name, args, cluster.options)

    def _gpu_pool(self, name: str, pool: GpuPool) -> GpuNodePool:
        classes = self.platform.compute_classes_in(self.region)
        first = next((first for first, names in classes.items() if name in names), None)
        of_class = {} if first is None else {"compute_class": f"{first}-{self.region}"}
        args = to_args(
            GpuNodePoolArgs,
            pool,
            project=self.foundation.services.project_for("container"),
            region=self.region,
            cluster=self.cluster.gke.cluster_name,
            node_service_account=self.cluster.gke.node_service_account,
            node_locations=pool.zones_in(self.region),
            **of_class,
        )
        return GpuNodePool(f"{name}-{self.region}", args, self.foundation.google)

    def _selectors(self, pools: Mapping[str, GpuNodePool]) -> Mapping[str, Mapping[str, str]]:
        """Return what puts a pod on each pool: its own name, or that of the class it is of."""
        selectors = {name: pool.node_selector for name, pool in pools.items()}
        for first, names in self.platform.compute_classes_in(self.region).items():
            made = ComputeClass(
                f"{first}-{self.region}",
                {"node_pools": [pools[name].node_pool_name for name in names]},
                self.cluster.options,
            )
            selectors |= dict.fromkeys(names, made.node_selector)
        return selectors

    def _metrics_adapter(self) -> MetricsAdapter:
        return MetricsAdapter(
            self.cluster.name,
            {
                "project": self.foundation.services.project_for("monitoring", "iam"),
                "project_number": self.foundation.services.project_number,
                "workload_pool": self.cluster.gke.workload_pool,
                "image": self._image("metrics_adapter"),
                "external": self.platform.goes_to_zero_in(self.region),
            },
            self.cluster.options,
        )

    def _asked(
        self, name: str, replica_set: ReplicaSet
    ) -> Mapping[str, Mapping[str, pulumi.Input[str]]]:
        """Return what its endpoint picker tells of requests for a replica set: that it handed on,
        and that it holds or, without flow control, refused while there was none."""
        model = self.platform.models[name]
        labels = {
            "resource.labels.cluster": self.cluster.gke.cluster_name,
            "resource.labels.namespace": self.cluster.namespaces[self.platform.namespace_of(model)],
            # Managed Service for Prometheus calls a job what the PodMonitoring is called.
            "resource.labels.job": picker_name(backend_name(name, replica_set)),
        }
        waiting = "picker_held" if model.flow_control else "picker_errors"
        return {"picker_requests": labels, waiting: labels}

    def _server(
        self,
        selectors: Mapping[str, Mapping[str, str]],
        name: str,
        replica_set: ReplicaSet,
        groups: pulumi.Output[str] | None,
    ) -> ModelServer:
        model, services = self.platform.models[name], self.foundation.services
        pools = self.platform.pools_in(self.region)
        own = [each for each in replica_set.pools if each in pools]
        taints = {(taint.key, taint.value) for each in own for taint in pools[each].taints}
        machine = pools[own[0]].machine
        if replica_set.capacity:
            taints |= set(selectors[own[0]].items())
        args = to_args(
            ModelServerArgs,
            model,
            replica_set,
            project=services.project_for("secretmanager", "storage"),
            project_number=services.project_number,
            workload_pool=self.cluster.gke.workload_pool,
            namespace=self.cluster.namespaces[self.platform.namespace_of(model)],
            model=name,
            image=self._image("vllm_tpu" if machine.is_tpu else "vllm"),
            tpu=machine.is_tpu,
            node_selector=selectors[own[0]],
            tolerations=[
                {"key": key, "operator": "Equal", "value": value} for key, value in sorted(taints)
            ],
        )
        if pools[own[0]].partition is not None:
            args["partitions"] = pools[own[0]].partitions
        if replica_set.goes_to_zero:
            args["asked_by"] = self._asked(name, replica_set)
        if machine.is_tpu:
            args["memory_gib_per_gpu"] = pools[own[0]].memory_gib_per_gpu
        if replica_set.nodes > 1 and groups is not None:
            args["leader_worker_set_api"] = groups
            args["rdma"] = pools[own[0]].rdma
        guardrail = self.platform.replica_guardrail(model)
        if guardrail is not None:
            args["replica_guardrail"] = replica_guardrail(
                self.platform, guardrail, self.cluster.images
            )
        if model.gated and self.secret is not None:
            args["hugging_face_secret"] = self.secret
        server = server_name(name, replica_set, self.region)
        return ModelServer(server, args, self.cluster.options)

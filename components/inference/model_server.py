"""ModelServer: replicas of one model on one kind of GPU node, served by vLLM.

Owns the Deployment, its service account and the grants that account needs to read the model. Does
not own the nodes, the namespace, the token's secret nor the way to the replicas (InferencePool).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pulumi
import pulumi_gcp as gcp
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.core.v1 import PodSpecArgsDict

from catalog import ports
from catalog.conventions import GPUS, TEAM_LABEL, TPUS
from catalog.limits import inference as limits
from components.inference import multi_node, vllm
from components.inference.custom_resources import (
    SECRET_PROVIDER_CLASS,
    Identity,
    custom_resource,
    pod_monitoring,
)
from components.inference.model_server_arguments import (
    ModelServerArgs,
    adapters_of,
    bucket_of,
    validate_model_server,
)
from components.inference.model_server_pod import DISK_GIB_PER_GPU, pod_spec
from components.inference.model_server_scaling import autoscaler
from components.inference.pods import selector_labels
from components.inference.replica_guardrail import guardrail_container
from components.inference.workloads import disruption_budget, service_account
from components.names import dns_label
from components.ready import after
from components.validation import component_type, register

TOKEN_FILE = "token"  # noqa: S105 - the name of a file
SKIP_AWAIT = {"pulumi.com/skipAwait": "true"}
TAKE_OVER = {"pulumi.com/patchForce": "true"}


class ModelServer(pulumi.ComponentResource):
    """Makes a replica set of one model: what the architecture calls a model replica set.

    A Deployment of vLLM with its service account, monitoring, a disruption budget where there is
    more than one replica, and an autoscaler where there may be more at times. The account may read
    this model's files or token and nothing else. The token is a file that Secret Manager's driver
    mounts; it is in no environment variable, manifest or state. Source: https://cloud.google.com/kubernetes-engine/docs/tutorials/serve-gemma-gpu-vllm
    and https://cloud.google.com/secret-manager/docs/secret-manager-managed-csi-component
    """

    deployment_name: pulumi.Output[str]
    """Name of the Deployment, or of the LeaderWorkerSet of replicas that span nodes."""
    pod_labels: Mapping[str, str]
    """Labels that select the replicas, and nothing else: the selector of the pool."""
    port: int
    """Port the replicas take requests on: the guardrail's where there is one."""
    model_names: Sequence[str]
    """Names clients may send: the model's, then the adapters'."""

    def __init__(
        self,
        name: str,
        args: ModelServerArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(component_type(ModelServer), name, {}, opts)
        validate_model_server(name, args).raise_if_any(name)
        physical_name = dns_label(name)
        selector = selector_labels("vllm", physical_name)
        several = args.get("nodes", limits.NODES.default) > 1
        # Of a replica that spans nodes only the leader answers.
        self.pod_labels = {**selector, **multi_node.LEADER} if several else selector
        self.port = (
            args["replica_guardrail"]["port"] if "replica_guardrail" in args else ports.MODEL_SERVER
        )
        self.model_names = [args["model"], *(adapter["name"] for adapter in adapters_of(args))]
        identity = Identity(physical_name, args["namespace"], selector)
        team = args.get("team")
        self._pod_labels = {**selector, **({TEAM_LABEL: team} if team else {})}

        account = service_account(name, identity, pulumi.ResourceOptions(parent=self))
        needed = [*self._grants(name, args, physical_name)]
        if args.get("gated", False):
            needed.append(self._token(name, args, identity))
        workload = self._groups if several else self._deployment
        deployment_name = workload(name, args, identity, [account, *needed])
        pod_monitoring(
            f"{name}-monitoring",
            identity,
            self.pod_labels,
            ["http"],
            pulumi.ResourceOptions(parent=self),
        )
        least = args.get("replicas", limits.REPLICAS.default)
        most = args.get("max_replicas")
        if most is not None:
            autoscaler(
                f"{name}-autoscaler",
                identity,
                deployment_name,
                replicas=(least, most),
                targets={
                    "server_waiting": args.get("queue_per_replica")
                    or limits.QUEUE_PER_REPLICA.default,
                    "server_running": args.get("running_per_replica"),
                    "server_kv_cache": args.get("kv_cache_percent"),
                },
                asked=args.get("asked_by", {}),
                scale_down_seconds=args.get("scale_down_seconds"),
                opts=pulumi.ResourceOptions(parent=self),
            )
        if (most or least) > 1:
            disruption_budget(name, identity, selector, pulumi.ResourceOptions(parent=self))
        self.deployment_name = deployment_name
        register(self)

    def _grants(
        self, name: str, args: ModelServerArgs, account_name: str
    ) -> Sequence[pulumi.Resource]:
        member = pulumi.Output.format(
            "principal://iam.googleapis.com/projects/{0}/locations/global/workloadIdentityPools/{1}"
            "/subject/ns/{2}/sa/{3}",
            args["project_number"],
            args["workload_pool"],
            args["namespace"],
            account_name,
        )
        grants: list[pulumi.Resource] = []
        if args.get("gated", False) and "hugging_face_secret" in args:
            grants.append(
                gcp.secretmanager.SecretIamMember(
                    f"{name}-token-reader",
                    project=args["project"],
                    secret_id=args["hugging_face_secret"],
                    role="roles/secretmanager.secretAccessor",
                    member=member,
                    opts=pulumi.ResourceOptions(parent=self),
                )
            )
        bucket = bucket_of(args["source"])
        if bucket:
            grants.append(
                gcp.storage.BucketIAMMember(
                    f"{name}-model-reader",
                    bucket=bucket,
                    role="roles/storage.objectViewer",
                    member=member,
                    opts=pulumi.ResourceOptions(parent=self),
                )
            )
        return grants

    def _token(self, name: str, args: ModelServerArgs, identity: Identity) -> pulumi.Resource:
        secrets = pulumi.Output.json_dumps(
            [
                {
                    "resourceName": pulumi.Output.format(
                        "projects/{0}/secrets/{1}/versions/latest",
                        args["project"],
                        args.get("hugging_face_secret", ""),
                    ),
                    "path": TOKEN_FILE,
                }
            ]
        )
        spec = {"provider": "gke", "parameters": {"secrets": secrets}}
        return custom_resource(
            f"{name}-token",
            SECRET_PROVIDER_CLASS,
            identity,
            spec,
            pulumi.ResourceOptions(parent=self),
        )

    def _pod(self, args: ModelServerArgs, identity: Identity) -> PodSpecArgsDict:
        tpu, memory_gib = (
            args.get("tpu", False),
            args.get("memory_gib_per_gpu", limits.MEMORY_GIB_PER_GPU.default),
        )
        gpus, partitions, drain_seconds = (
            args.get("gpus", limits.GPUS.default),
            args.get("partitions", limits.PARTITIONS.default),
            args.get("drain_seconds", limits.DRAIN_SECONDS.default),
        )
        return pod_spec(
            account=identity.name,
            image=args["image"],
            arguments=vllm.arguments(
                model=args["model"],
                source=args["source"],
                # The chips of a slice are one device to vLLM, whichever node they are on.
                gpus=gpus * args.get("nodes", limits.NODES.default) if tpu else gpus,
                max_context=args.get("max_context"),
                adapters=adapters_of(args),
                max_lora_rank=args.get("max_lora_rank", limits.MAX_LORA_RANK.default),
                server_args=args.get("server_args", {}),
            ),
            amounts={
                "cpu": str(max(4 * gpus // partitions, 1)),
                "memory": f"{limits.replica_memory_gib(gpus, partitions, memory_gib)}Gi",
                TPUS if tpu else GPUS: str(gpus),
            },
            disk_gib=DISK_GIB_PER_GPU * gpus // partitions,
            node_selector=args["node_selector"],
            tolerations=args.get("tolerations", ()),
            environment=args.get("environment", {}),
            token_file=TOKEN_FILE if args.get("gated", False) else None,
            startup_timeout_seconds=args.get(
                "startup_timeout_seconds", limits.STARTUP_TIMEOUT_SECONDS.default
            ),
            drain_seconds=drain_seconds,
            guardrail=guardrail_container(args["replica_guardrail"], drain_seconds)
            if "replica_guardrail" in args
            else None,
        )

    def _groups(
        self,
        name: str,
        args: ModelServerArgs,
        identity: Identity,
        needed: Sequence[pulumi.Resource],
    ) -> pulumi.Output[str]:
        child = pulumi.ResourceOptions(parent=self)
        claim = None
        if args.get("rdma", False):
            claim = multi_node.rdma_claim(f"{name}-rdma", identity, child).metadata.name
        installed = pulumi.Output.from_input(args.get("leader_worker_set_api", ""))
        namespace = after(args["namespace"], installed)
        groups = multi_node.replica_groups(
            f"{name}-groups",
            replace(identity, namespace=namespace),
            self._pod(args, identity),
            labels=self._pod_labels,
            replicas=args.get("replicas", limits.REPLICAS.default),
            nodes=args.get("nodes", limits.NODES.default),
            claim_template=claim,
            tpu=args.get("tpu", False),
            annotations=SKIP_AWAIT,
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(needed)),
        )
        return after(identity.name, groups.id)

    def _deployment(
        self,
        name: str,
        args: ModelServerArgs,
        identity: Identity,
        needed: Sequence[pulumi.Resource],
    ) -> pulumi.Output[str]:
        spec = self._pod(args, identity)
        return kubernetes.apps.v1.Deployment(
            f"{name}-deployment",
            # Takes the number of replicas back when the autoscaler is gone.
            metadata=identity.metadata({**SKIP_AWAIT, **TAKE_OVER}),
            spec={
                # One that goes to zero begins with a replica, which shows that the model starts.
                "replicas": max(args.get("replicas", limits.REPLICAS.default), 1),
                "selector": {"match_labels": dict(self.pod_labels)},
                # A surge would need a second set of GPUs, which a full pool never gets.
                "strategy": {
                    "type": "RollingUpdate",
                    "rolling_update": {"max_surge": 0, "max_unavailable": 1},
                },
                "template": {"metadata": {"labels": dict(self._pod_labels)}, "spec": spec},
            },
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=list(needed),
                # The autoscaler's from its first change on. Left out, it would become 1 at once.
                ignore_changes=["spec.replicas"] if "max_replicas" in args else None,
            ),
        ).metadata.name


__all__ = ["ModelServer", "ModelServerArgs", "validate_model_server"]

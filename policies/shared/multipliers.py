"""What makes machines, replicas, workers and storage: each type, the path, what it multiplies."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from resources.properties import EACH, all_at, get, number, text


@dataclass(frozen=True)
class Multiplier:
    """One property and what it counts; `must` where left out means without a bound."""

    path: str
    counts: str = "nodes"
    must: bool = False
    times: str = ""
    """Where the resource says how many there are of what is counted."""


# What is counted: the limit of it, the unit that it has, and how many go into one of that.
UNITS: Final[Mapping[str, tuple[str, str, float]]] = {
    "GiB": ("maxGib", "GiB", 1.0),
    "GiB of memory": ("maxMemoryGib", "GiB of memory", 1.0),
    "MiB of memory": ("maxMemoryGib", "GiB of memory", 1024.0),
    "bytes": ("maxGib", "GiB", 2.0**30),
    "machine type": ("maxVcpus", "vCPUs", 1.0),
    "node type": ("maxMemoryGib", "GiB of memory", 1.0),
    "nodes": ("maxNodes", "nodes", 1.0),
    "processing units": ("maxProcessingUnits", "processing units", 1.0),
    "vCPUs": ("maxVcpus", "vCPUs", 1.0),
}


def _all(*paths: str, counts: str = "nodes") -> tuple[Multiplier, ...]:
    return tuple(Multiplier(path, counts) for path in paths)


_WORKERS: Final = (
    "masterConfig.numInstances",
    "preemptibleWorkerConfig.numInstances",
    "secondaryWorkerConfig.numInstances",
    "workerConfig.numInstances",
    "auxiliaryNodeGroups.*.nodeGroups.*.nodeGroupConfig.numInstances",
)
_FLEX: Final = "workload.dataflowFlexTemplateRequest.launchParameter.environment"
_CLASSIC: Final = "workload.dataflowLaunchTemplateRequest.launchParameters.environment"
# GiB of memory of each type of node of Memorystore:
# https://cloud.google.com/memorystore/docs/cluster/cluster-node-specification
NODE_GIB: Final[Mapping[str, float]] = {
    "HIGHMEM_MEDIUM": 13.0,
    "HIGHMEM_XLARGE": 58.0,
    "SHARED_CORE_NANO": 1.4,
    "STANDARD_SMALL": 6.5,
}
_SHARDS: Final = (
    *_all("replicaCount", "shardCount"),
    Multiplier("nodeType", "node type", times="shardCount"),
)
# Rules of their own hold Cloud Run, GKE, Apigee, BigQuery, reservations and Vertex's deployments.
GOOGLE: Final[Mapping[str, tuple[Multiplier, ...]]] = {
    "gcp:alloydb/instance:Instance": (
        *_all("machineConfig.cpuCount", counts="vCPUs"),
        *_all("machineConfig.machineType", counts="machine type"),
        *_all("readPoolConfig.nodeCount"),
    ),
    "gcp:appengine/flexibleAppVersion:FlexibleAppVersion": (
        *_all("automaticScaling.maxTotalInstances", "manualScaling.instances"),
    ),
    "gcp:appengine/standardAppVersion:StandardAppVersion": (
        Multiplier("automaticScaling.standardSchedulerSettings.maxInstances", must=True),
        *_all("basicScaling.maxInstances", "manualScaling.instances"),
    ),
    "gcp:bigquery/biReservation:BiReservation": _all("size", counts="bytes"),
    "gcp:bigtable/instance:Instance": _all(
        "clusters.*.autoscalingConfig.maxNodes", "clusters.*.numNodes"
    ),
    "gcp:cloudfunctions/function:Function": (Multiplier("maxInstances", must=True),),
    "gcp:cloudfunctionsv2/function:Function": (
        Multiplier("serviceConfig.maxInstanceCount", must=True),
    ),
    "gcp:composer/environment:Environment": _all(
        "config.nodeCount", "config.workloadsConfig.worker.maxCount"
    ),
    "gcp:compute/autoscaler:Autoscaler": (Multiplier("autoscalingPolicy.maxReplicas", must=True),),
    "gcp:compute/disk:Disk": _all("size", counts="GiB"),
    "gcp:compute/instanceGroupManager:InstanceGroupManager": _all("targetSize"),
    "gcp:compute/nodeGroup:NodeGroup": _all("autoscalingPolicy.maxNodes", "initialSize"),
    "gcp:compute/regionAutoscaler:RegionAutoscaler": (
        Multiplier("autoscalingPolicy.maxReplicas", must=True),
    ),
    "gcp:compute/regionDisk:RegionDisk": _all("size", counts="GiB"),
    "gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager": _all("targetSize"),
    "gcp:compute/resizeRequest:ResizeRequest": _all("resizeBy"),
    "gcp:compute/storagePool:StoragePool": _all("poolProvisionedCapacityGb", counts="GiB"),
    "gcp:container/awsNodePool:AwsNodePool": _all("autoscaling.maxNodeCount"),
    "gcp:container/azureNodePool:AzureNodePool": _all("autoscaling.maxNodeCount"),
    "gcp:container/nodePool:NodePool": _all("nodeConfig.diskSizeGb", counts="GiB"),
    "gcp:dataflow/flexTemplateJob:FlexTemplateJob": (
        Multiplier("maxWorkers", must=True),
        *_all("numWorkers"),
    ),
    "gcp:dataflow/job:Job": (Multiplier("maxWorkers", must=True),),
    "gcp:dataflow/pipeline:Pipeline": _all(
        *(f"{place}.{name}" for place in (_FLEX, _CLASSIC) for name in ("maxWorkers", "numWorkers"))
    ),
    "gcp:dataproc/autoscalingPolicy:AutoscalingPolicy": (
        Multiplier("workerConfig.maxInstances", must=True),
        *_all("secondaryWorkerConfig.maxInstances"),
    ),
    "gcp:dataproc/cluster:Cluster": _all(*(f"clusterConfig.{path}" for path in _WORKERS)),
    "gcp:dataproc/workflowTemplate:WorkflowTemplate": _all(
        *(f"placement.managedCluster.config.{path}" for path in (_WORKERS[0], *_WORKERS[2:4]))
    ),
    "gcp:edgecontainer/nodePool:NodePool": _all("nodeCount"),
    "gcp:filestore/instance:Instance": _all("fileShares.capacityGb", counts="GiB"),
    "gcp:gkeonprem/vMwareNodePool:VMwareNodePool": _all(
        "config.replicas", "nodePoolAutoscaling.maxReplicas"
    ),
    "gcp:integrationconnectors/connection:Connection": _all("nodeConfig.maxNodeCount"),
    "gcp:lustre/instance:Instance": _all("capacityGib", counts="GiB"),
    "gcp:managedkafka/cluster:Cluster": _all("capacityConfig.vcpuCount", counts="vCPUs"),
    "gcp:managedkafka/connectCluster:ConnectCluster": _all(
        "capacityConfig.vcpuCount", counts="vCPUs"
    ),
    "gcp:memcache/instance:Instance": (
        *_all("nodeCount"),
        *_all("nodeConfig.cpuCount", counts="vCPUs"),
        Multiplier("nodeConfig.memorySizeMb", "MiB of memory", times="nodeCount"),
    ),
    "gcp:memorystore/instance:Instance": _SHARDS,
    "gcp:netapp/storagePool:StoragePool": _all("capacityGib", counts="GiB"),
    "gcp:netapp/volume:Volume": _all("capacityGib", counts="GiB"),
    "gcp:oracledatabase/cloudExadataInfrastructure:CloudExadataInfrastructure": _all(
        "properties.computeCount", "properties.storageCount"
    ),
    "gcp:parallelstore/instance:Instance": _all("capacityGib", counts="GiB"),
    "gcp:pubsub/liteReservation:LiteReservation": _all("throughputCapacity"),
    "gcp:pubsub/liteTopic:LiteTopic": _all("partitionConfig.count"),
    "gcp:redis/cluster:Cluster": _SHARDS,
    "gcp:redis/instance:Instance": (
        *_all("memorySizeGb", counts="GiB of memory"),
        *_all("replicaCount"),
    ),
    "gcp:spanner/instance:Instance": (
        *_all("autoscalingConfig.autoscalingLimits.maxNodes", "numNodes"),
        *_all(
            *("autoscalingConfig.autoscalingLimits.maxProcessingUnits", "processingUnits"),
            counts="processing units",
        ),
    ),
    "gcp:spanner/instancePartition:InstancePartition": (
        *_all("autoscalingConfig.autoscalingLimits.maxNodes", "nodeCount"),
        *_all("processingUnits", counts="processing units"),
    ),
    "gcp:sql/databaseInstance:DatabaseInstance": (
        *_all("nodeCount", "settings.readPoolAutoScaleConfig.maxNodeCount"),
        *_all("settings.diskAutoresizeLimit", "settings.diskSize", counts="GiB"),
        *_all("settings.tier", counts="machine type"),
    ),
    "gcp:vertex/aiFeatureOnlineStore:AiFeatureOnlineStore": _all(
        "bigtable.autoScaling.maxNodeCount"
    ),
    "gcp:vertex/aiFeatureStore:AiFeatureStore": _all(
        "onlineServingConfig.fixedNodeCount", "onlineServingConfig.scaling.maxNodeCount"
    ),
    "gcp:vmwareengine/cluster:Cluster": _all("nodeTypeConfigs.*.nodeCount"),
    "gcp:vmwareengine/privateCloud:PrivateCloud": _all(
        "managementCluster.nodeTypeConfigs.*.nodeCount"
    ),
    "gcp:vpcaccess/connector:Connector": _all("maxInstances"),
    "gcp:workstations/workstationConfig:WorkstationConfig": _all("host.gceInstance.poolSize"),
}
_RAY: Final = tuple(
    f"workerGroupSpecs.*.{name}" for name in ("maxReplicas", "numOfHosts", "replicas")
)
_REPLICAS: Final = ("spec.replicas",)
KNATIVE: Final = ("serving.knative.dev/Configuration", "serving.knative.dev/Service")
_REVISION: Final = "serving.knative.dev/Revision"
QUEUES: Final = ("kueue.x-k8s.io/ClusterQueue", "kueue.x-k8s.io/Cohort")
_QUOTAS: Final = ("spec", "resourceGroups", EACH, "flavors", EACH, "resources", EACH)
CLAIMS: Final = ("resource.k8s.io/ResourceClaim", "resource.k8s.io/ResourceClaimTemplate")
# How many devices a claim takes, by each version of the API.
_DEVICES: Final = tuple(
    f"devices.requests.*.{path}" for path in ("count", "exactly.count", "firstAvailable.*.count")
)
# Group and kind, whichever the version: what counts its pods, or their devices.


def _within(place: str) -> tuple[str, ...]:
    """Return where objects that stand within another count what they make."""
    counts = ("replicas", "parallelism", "replicatedJobs.*.replicas", "workerGroupSpecs.*.replicas")
    return tuple(f"{place}.spec.{each}" for each in counts)


KUBERNETES: Final[Mapping[str, tuple[str, ...]]] = {
    "apps/Deployment": _REPLICAS,
    "apps/ReplicaSet": _REPLICAS,
    "apps/StatefulSet": _REPLICAS,
    "apps.nvidia.com/NIMService": ("spec.replicas", "spec.scale.hpa.maxReplicas"),
    "argoproj.io/CronWorkflow": ("spec.workflowSpec.parallelism",),
    "argoproj.io/Rollout": _REPLICAS,
    "argoproj.io/Workflow": ("spec.parallelism",),
    "batch/CronJob": ("spec.jobTemplate.spec.parallelism",),
    "batch/Job": ("spec.parallelism",),
    "autoscaling.x-k8s.io/CapacityBuffer": _REPLICAS,
    "autoscaling.x-k8s.io/ProvisioningRequest": ("spec.podSets.*.count",),
    "batch.volcano.sh/Job": ("spec.tasks.*.replicas",),
    "apps.kruise.io/CloneSet": _REPLICAS,
    "apps.kruise.io/StatefulSet": _REPLICAS,
    "autoscaling.aibrix.ai/PodAutoscaler": ("spec.maxReplicas",),
    "core/ReplicationController": _REPLICAS,
    "elasticsearch.k8s.elastic.co/Elasticsearch": ("spec.nodeSets.*.count",),
    "extensions/Deployment": _REPLICAS,
    "flink.apache.org/FlinkDeployment": ("spec.job.parallelism", "spec.taskManager.replicas"),
    "jobset.x-k8s.io/JobSet": (
        "spec.replicatedJobs.*.replicas",
        "spec.replicatedJobs.*.template.spec.parallelism",
    ),
    "kafka.strimzi.io/Kafka": ("spec.kafka.replicas",),
    "kafka.strimzi.io/KafkaNodePool": _REPLICAS,
    "kaito.sh/RAGEngine": ("spec.compute.count",),
    "kaito.sh/Workspace": ("resource.count",),
    "keda.sh/ScaledJob": ("spec.jobTargetRef.parallelism", "spec.maxReplicaCount"),
    "kubeflow.org/JAXJob": ("spec.jaxReplicaSpecs.*.replicas",),
    "kubeflow.org/MPIJob": ("spec.mpiReplicaSpecs.*.replicas",),
    "kubeflow.org/PaddleJob": ("spec.paddleReplicaSpecs.*.replicas",),
    "kubeflow.org/PyTorchJob": (
        "spec.elasticPolicy.maxReplicas",
        "spec.pytorchReplicaSpecs.*.replicas",
    ),
    "kubeflow.org/TFJob": ("spec.tfReplicaSpecs.*.replicas",),
    "kubeflow.org/XGBoostJob": ("spec.xgbReplicaSpecs.*.replicas",),
    "kubernetes.dask.org/DaskAutoscaler": ("spec.maximum",),
    "kubernetes.dask.org/DaskCluster": ("spec.worker.replicas",),
    "kubernetes.dask.org/DaskWorkerGroup": ("spec.worker.replicas",),
    "leaderworkerset.x-k8s.io/LeaderWorkerSet": ("spec.leaderWorkerTemplate.size", "spec.replicas"),
    "llm-d.ai/ModelService": ("spec.decode.replicas", "spec.prefill.replicas"),
    "machinelearning.seldon.io/SeldonDeployment": ("spec.predictors.*.replicas", "spec.replicas"),
    "nvidia.com/DynamoGraphDeployment": ("spec.services.*.replicas",),
    "postgresql.cnpg.io/Cluster": ("spec.instances",),
    "ray.io/RayCluster": tuple(f"spec.{path}" for path in _RAY),
    "ray.io/RayJob": tuple(f"spec.rayClusterSpec.{path}" for path in _RAY),
    "ray.io/RayService": tuple(f"spec.rayClusterConfig.{path}" for path in _RAY),
    "serving.kserve.io/InferenceService": (
        "spec.predictor.maxReplicas",
        "spec.predictor.minReplicas",
    ),
    "serving.kserve.io/LLMInferenceService": (
        "spec.prefill.replicas",
        "spec.replicas",
        "spec.worker.replicas",
    ),
    CLAIMS[0]: tuple(f"spec.{path}" for path in _DEVICES),
    CLAIMS[1]: tuple(f"spec.spec.{path}" for path in _DEVICES),
    "sparkoperator.k8s.io/SparkApplication": (
        "spec.dynamicAllocation.maxExecutors",
        "spec.executor.instances",
    ),
    "trainer.kubeflow.org/TrainJob": ("spec.trainer.numNodes",),
    "work.open-cluster-management.io/ManifestWork": _within("spec.workload.manifests.*"),
    "workload.codeflare.dev/AppWrapper": (
        *_within("spec.components.*.template"),
        "spec.components.*.podSets.*.replicas",
    ),
}
_MAX_SCALE: Final = ("autoscaling.knative.dev/max-scale", "autoscaling.knative.dev/maxScale")
_ACCELERATOR: Final = re.compile(r".*/(gpu|tpu)|.*\.(gpu|tpu|accelerator).*")


# Kinds whose counts multiply each other: where they stand, and both.
_TIMES: Final[Mapping[str, tuple[tuple[str, ...], str, str]]] = {
    "jobset.x-k8s.io/JobSet": (
        ("spec", "replicatedJobs", EACH),
        "replicas",
        "template.spec.parallelism",
    ),
    "leaderworkerset.x-k8s.io/LeaderWorkerSet": (
        ("spec",),
        "replicas",
        "leaderWorkerTemplate.size",
    ),
    "ray.io/RayCluster": (("spec", "workerGroupSpecs", EACH), "maxReplicas", "numOfHosts"),
}


def counted(kind: str, value: object) -> Iterator[object]:
    """Yield what counts the replicas of an object, wherever its kind says so."""
    for path in KUBERNETES.get(kind, ()):
        yield from all_at(value, path.split("."))
    where, one, other = _TIMES.get(kind, ((), "", ""))
    for each in all_at(value, where) if where else ():
        pair = number(each, *one.split(".")), number(each, *other.split("."))
        if isinstance(pair[0], float) and isinstance(pair[1], float):
            yield pair[0] * pair[1]
    if kind in KNATIVE:
        annotations = get(value, "spec", "template", "metadata", "annotations")
        yield from (get(annotations, name) for name in _MAX_SCALE)
    elif kind == _REVISION:
        yield from (get(value, "metadata", "annotations", name) for name in _MAX_SCALE)
    elif kind in QUEUES:
        # What a queue lets run at once, of GPUs and TPUs: the rest is measured in other units.
        for each in all_at(value, _QUOTAS):
            name = text(each, "name")
            if isinstance(name, str) and _ACCELERATOR.fullmatch(name):
                yield get(each, "nominalQuota")

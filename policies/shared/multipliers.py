"""What makes machines, replicas, workers and storage: each type, the path, what it multiplies."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Multiplier:
    """One property and what it counts; `must` where left out means without a bound."""

    path: str
    counts: str = "nodes"
    must: bool = False


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
# Rules of their own hold Cloud Run, GKE, Apigee, BigQuery, reservations and Vertex's deployments.
GOOGLE: Final[Mapping[str, tuple[Multiplier, ...]]] = {
    "gcp:alloydb/instance:Instance": (
        *_all("machineConfig.cpuCount", counts="vCPUs"),
        *_all("readPoolConfig.nodeCount"),
    ),
    "gcp:appengine/flexibleAppVersion:FlexibleAppVersion": (
        *_all("automaticScaling.maxTotalInstances", "manualScaling.instances"),
    ),
    "gcp:appengine/standardAppVersion:StandardAppVersion": (
        Multiplier("automaticScaling.standardSchedulerSettings.maxInstances", must=True),
        *_all("basicScaling.maxInstances", "manualScaling.instances"),
    ),
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
    "gcp:filestore/instance:Instance": _all("fileShares.capacityGb", counts="GiB"),
    "gcp:integrationconnectors/connection:Connection": _all("nodeConfig.maxNodeCount"),
    "gcp:managedkafka/cluster:Cluster": _all("capacityConfig.vcpuCount", counts="vCPUs"),
    "gcp:managedkafka/connectCluster:ConnectCluster": _all(
        "capacityConfig.vcpuCount", counts="vCPUs"
    ),
    "gcp:memcache/instance:Instance": (
        *_all("nodeCount"),
        *_all("nodeConfig.cpuCount", counts="vCPUs"),
    ),
    "gcp:memorystore/instance:Instance": _all("replicaCount", "shardCount"),
    "gcp:redis/cluster:Cluster": _all("replicaCount", "shardCount"),
    "gcp:redis/instance:Instance": (
        *_all("memorySizeGb", counts="GiB"),
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
        *_all("settings.diskSize", counts="GiB"),
    ),
    "gcp:vertex/aiFeatureOnlineStore:AiFeatureOnlineStore": _all(
        "bigtable.autoScaling.maxNodeCount"
    ),
    "gcp:vertex/aiFeatureStore:AiFeatureStore": _all(
        "onlineServingConfig.fixedNodeCount", "onlineServingConfig.scaling.maxNodeCount"
    ),
    "gcp:vpcaccess/connector:Connector": _all("maxInstances"),
}
_RAY: Final = ("workerGroupSpecs.*.maxReplicas", "workerGroupSpecs.*.replicas")
_REPLICAS: Final = ("spec.replicas",)
# Group and kind, whichever the version: what counts its pods.
KUBERNETES: Final[Mapping[str, tuple[str, ...]]] = {
    "apps/Deployment": _REPLICAS,
    "apps/ReplicaSet": _REPLICAS,
    "apps/StatefulSet": _REPLICAS,
    "batch/CronJob": ("spec.jobTemplate.spec.parallelism",),
    "batch/Job": ("spec.parallelism",),
    "core/ReplicationController": _REPLICAS,
    "extensions/Deployment": _REPLICAS,
    "jobset.x-k8s.io/JobSet": (
        "spec.replicatedJobs.*.replicas",
        "spec.replicatedJobs.*.template.spec.parallelism",
    ),
    "keda.sh/ScaledJob": ("spec.jobTargetRef.parallelism", "spec.maxReplicaCount"),
    "kubeflow.org/MPIJob": ("spec.mpiReplicaSpecs.Worker.replicas",),
    "kubeflow.org/PyTorchJob": (
        "spec.elasticPolicy.maxReplicas",
        "spec.pytorchReplicaSpecs.Worker.replicas",
    ),
    "kubeflow.org/TFJob": ("spec.tfReplicaSpecs.Worker.replicas",),
    "leaderworkerset.x-k8s.io/LeaderWorkerSet": ("spec.leaderWorkerTemplate.size", "spec.replicas"),
    "ray.io/RayCluster": tuple(f"spec.{path}" for path in _RAY),
    "ray.io/RayJob": tuple(f"spec.rayClusterSpec.{path}" for path in _RAY),
    "ray.io/RayService": tuple(f"spec.rayClusterConfig.{path}" for path in _RAY),
    "serving.kserve.io/InferenceService": (
        "spec.predictor.maxReplicas",
        "spec.predictor.minReplicas",
    ),
    "trainer.kubeflow.org/TrainJob": ("spec.trainer.numNodes",),
}

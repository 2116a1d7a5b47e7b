"""Each rule of the scale-limits pack: compliant, not compliant, not applicable, unknown."""

import datetime as dt
from typing import Any

import pytest

from cost.estimate import Resource as Priced
from cost.estimate import estimate
from policies.rules.config import LEVEL, read_settings
from policies.rules.judge import Judge
from tests.policies import harness
from tests.policies.harness import NOT_APPLICABLE, RULES, UNKNOWN, check, check_stack, resource

SERVICE = "gcp:cloudrunv2/service:Service"
WORKERS = "gcp:cloudrunv2/workerPool:WorkerPool"
JOB = "gcp:cloudrunv2/job:Job"
CLUSTER = "gcp:container/cluster:Cluster"
POOL = "gcp:container/nodePool:NodePool"
TOPIC = "gcp:pubsub/topic:Topic"
SUBSCRIPTION = "gcp:pubsub/subscription:Subscription"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
HPA = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
NETWORK = "gcp:compute/network:Network"
AGENT = "serviceAccount:service-1@gcp-sa-pubsub.iam.gserviceaccount.com"

# Numbers arrive as floats.
LIMITS: dict[str, dict[str, Any]] = {
    "scale-cloudrun-max-instances": {"maxInstances": 5.0},
    "scale-cloudrun-worker-max": {"maxInstances": 5.0},
    "scale-cloudrun-timeout": {"maxSeconds": 300.0, "maxRetries": 3.0, "maxTasks": 10.0},
    "scale-gke-pool-bounded": {"maxNodes": 6.0},
    "scale-gke-gpu-per-pool": {"maxGpus": 4.0},
    "scale-gke-nap-limits": {"maxCpus": 100.0, "maxMemoryGib": 400.0, "maxGpus": 4.0},
    "scale-gpu-types-allowed": {"gpuTypes": ["nvidia-l4"]},
    "scale-resources-set": {},
    "scale-pubsub-retention": {"maxDays": 7.0, "maxAckSeconds": 60.0},
    "scale-deploy-replicas": {"maxReplicas": 5.0},
    "scale-hpa-max": {"maxReplicas": 10.0},
}


def total(nodes: Any, machine_type: str = "g2-standard-8", **props: Any) -> dict[str, Any]:
    return {
        "location": "us-central1",
        "autoscaling": {"totalMaxNodeCount": nodes},
        "nodeConfig": {"machineType": machine_type},
        **props,
    }


def pod(*containers: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": list(containers)}}}}


def sized(**limits: str) -> dict[str, Any]:
    return {"resources": {"requests": {"cpu": "1"}, "limits": {"memory": "1Gi", **limits}}}


def nap(*limits: tuple[Any, Any]) -> dict[str, Any]:
    return {
        "clusterAutoscaling": {
            "enabled": True,
            "resourceLimits": [{"resourceType": kind, "maximum": most} for kind, most in limits],
        }
    }


COMPLIANT: list[tuple[str, str, dict[str, Any]]] = [
    (
        "scale-cloudrun-max-instances",
        SERVICE,
        {"template": {"scaling": {"maxInstanceCount": 5.0}}, "scaling": {"maxInstanceCount": 90}},
    ),
    (
        "scale-cloudrun-worker-max",
        WORKERS,
        {"scaling": {"scalingMode": "MANUAL", "manualInstanceCount": 2}},
    ),
    ("scale-cloudrun-timeout", SERVICE, {"template": {"timeout": "300s"}}),
    ("scale-cloudrun-timeout", SERVICE, {}),
    ("scale-gke-pool-bounded", POOL, total(6.0)),
    ("scale-gke-pool-bounded", POOL, {"location": "us-central1-a", "nodeCount": 6}),
    ("scale-gke-pool-bounded", CLUSTER, {"removeDefaultNodePool": True, "initialNodeCount": 1}),
    ("scale-gke-pool-bounded", CLUSTER, {"enableAutopilot": True}),
    ("scale-gke-gpu-per-pool", POOL, total(4)),
    ("scale-gke-gpu-per-pool", POOL, total(50, "e2-standard-4")),
    ("scale-gke-nap-limits", CLUSTER, {}),
    (
        "scale-gke-nap-limits",
        CLUSTER,
        nap(("cpu", 100), ("memory", 400), ("nvidia-l4", 4)),
    ),
    ("scale-gpu-types-allowed", POOL, total(1)),
    ("scale-gpu-types-allowed", POOL, total(1, "n2-standard-8")),
    ("scale-resources-set", DEPLOYMENT, pod(sized())),
    ("scale-resources-set", DEPLOYMENT, pod(sized(**{"nvidia.com/gpu": "2"}))),
    ("scale-pubsub-retention", TOPIC, {"messageRetentionDuration": "604800s"}),
    ("scale-pubsub-retention", SUBSCRIPTION, {"expirationPolicy": {"ttl": "2678400s"}}),
    ("scale-cloudrun-timeout", JOB, {"template": {"template": {"timeout": "300s"}}}),
    (
        "scale-gke-nap-limits",
        "kubernetes:cloud.google.com/v1:ComputeClass",
        {"spec": {"priorities": [{"machineFamily": "g2"}]}},
    ),
    ("scale-deploy-replicas", DEPLOYMENT, {"spec": {"replicas": 5.0}}),
    ("scale-deploy-replicas", DEPLOYMENT, {"spec": {}}),
    ("scale-hpa-max", HPA, {"spec": {"minReplicas": 1, "maxReplicas": 10}}),
]

VIOLATING: list[tuple[str, str, dict[str, Any], str]] = [
    ("scale-cloudrun-max-instances", SERVICE, {}, "maximum of instances is not set, allowed 5"),
    (
        "scale-cloudrun-max-instances",
        SERVICE,
        {"template": {"scaling": {"maxInstanceCount": 6}}},
        "may run 6 instances, allowed 5",
    ),
    (
        "scale-cloudrun-max-instances",
        "gcp:cloudrun/service:Service",
        {"template": {"metadata": {"annotations": {"autoscaling.knative.dev/maxScale": "9"}}}},
        "may run 9 instances",
    ),
    (
        "scale-cloudrun-worker-max",
        WORKERS,
        {"scaling": {"manualInstanceCount": 7}},
        "may run 7 instances",
    ),
    ("scale-cloudrun-timeout", SERVICE, {"template": {"timeout": "301s"}}, "is 301 s"),
    ("scale-cloudrun-timeout", JOB, {}, "is 600 s (the platform's default), allowed 300 s"),
    (
        "scale-cloudrun-timeout",
        JOB,
        {"template": {"template": {"timeout": "60s", "maxRetries": 4}}},
        "its retries of a task is 4, allowed 3",
    ),
    (
        "scale-cloudrun-timeout",
        JOB,
        {"template": {"taskCount": 11, "template": {"timeout": "60s"}}},
        "its number of tasks is 11, allowed 10",
    ),
    (
        "scale-cloudrun-timeout",
        JOB,
        {"template": {"parallelism": 11, "template": {"timeout": "60s"}}},
        "its number of tasks at once is 11",
    ),
    ("scale-gke-pool-bounded", POOL, {"autoscaling": {}}, "maximum of nodes is not set"),
    ("scale-gke-pool-bounded", POOL, {"nodeConfig": {}}, "maximum of nodes is not set"),
    (
        "scale-gke-pool-bounded",
        POOL,
        {"location": "us-central1", "autoscaling": {"maxNodeCount": 3}},
        "may grow to 9 nodes over its zones, allowed 6",
    ),
    (
        "scale-gke-pool-bounded",
        POOL,
        {"nodeLocations": ["us-central1-a", "us-central1-b"], "nodeCount": 4},
        "may grow to 8 nodes",
    ),
    (
        "scale-gke-pool-bounded",
        CLUSTER,
        {"removeDefaultNodePool": True, "nodePools": [{"name": "inside"}]},
        "has node pools written inside it",
    ),
    (
        "scale-gke-gpu-per-pool",
        POOL,
        total(1, "a3-highgpu-8g"),
        "may take 8 nvidia-h100-80gb GPUs, allowed 4",
    ),
    ("scale-gke-gpu-per-pool", POOL, total(3, "g2-standard-24"), "may take 6 nvidia-l4 GPUs"),
    ("scale-gke-gpu-per-pool", POOL, total(1, "g4-standard-384"), "8 nvidia-rtx-pro-6000 GPUs"),
    ("scale-gke-gpu-per-pool", POOL, total(1, "a9-newgpu-4g"), "is not known"),
    (
        "scale-gke-gpu-per-pool",
        POOL,
        total(
            5,
            "n1-standard-8",
            nodeConfig={
                "machineType": "n1-standard-8",
                "guestAccelerators": [{"type": "nvidia-tesla-t4", "count": 1.0}],
            },
        ),
        "may take 5 nvidia-tesla-t4 GPUs",
    ),
    ("scale-gke-nap-limits", CLUSTER, nap(("cpu", 10)), "has no limit on memory"),
    (
        "scale-gke-nap-limits",
        CLUSTER,
        nap(("cpu", 10), ("memory", 10), ("nvidia-l4", 8)),
        "auto-provisions up to 8 of nvidia-l4, allowed 4",
    ),
    ("scale-gpu-types-allowed", POOL, total(1, "a3-highgpu-8g"), "GPU type nvidia-h100-80gb"),
    (
        "scale-gpu-types-allowed",
        SERVICE,
        {
            "template": {
                "nodeSelector": {"accelerator": "nvidia-rtx-pro-6000"},
                "containers": [{"resources": {"limits": {"nvidia.com/gpu": "1"}}}],
            }
        },
        "GPU type nvidia-rtx-pro-6000",
    ),
    (
        "scale-gpu-types-allowed",
        "gcp:vertex/aiDeploymentResourcePool:AiDeploymentResourcePool",
        {
            "dedicatedResources": {
                "maxReplicaCount": 1,
                "machineSpec": {"acceleratorType": "NVIDIA_TESLA_T4", "acceleratorCount": 1},
            }
        },
        "GPU type nvidia-tesla-t4",
    ),
    (
        "scale-resources-set",
        DEPLOYMENT,
        pod({"resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}),
        "the memory limit of containers[0] is not set",
    ),
    (
        "scale-resources-set",
        DEPLOYMENT,
        pod(sized(**{"nvidia.com/gpu": "0.5"})),
        "not a known whole number",
    ),
    (
        "scale-pubsub-retention",
        TOPIC,
        {"messageRetentionDuration": "691200s"},
        "keeps messages for 8 days, allowed 7 days",
    ),
    (
        "scale-pubsub-retention",
        SUBSCRIPTION,
        {"retainAckedMessages": True, "expirationPolicy": {"ttl": ""}},
        "keeps messages that are acknowledged",
    ),
    (
        "scale-pubsub-retention",
        SUBSCRIPTION,
        {"ackDeadlineSeconds": 600, "expirationPolicy": {"ttl": ""}},
        "its ackDeadlineSeconds is 600, allowed 60",
    ),
    ("scale-pubsub-retention", SUBSCRIPTION, {}, "has no expirationPolicy"),
    (
        "scale-gke-nap-limits",
        CLUSTER,
        {"clusterAutoscaling": {"defaultComputeClassEnabled": True}},
        "its auto-provisioning limits are not set",
    ),
    (
        "scale-gke-nap-limits",
        "kubernetes:cloud.google.com/v1:ComputeClass",
        {"spec": {"nodePoolAutoCreation": {"enabled": True}}},
        "makes node pools by itself",
    ),
    ("scale-deploy-replicas", DEPLOYMENT, {"spec": {"replicas": 6}}, "asks for 6 replicas"),
    ("scale-hpa-max", HPA, {"spec": {}}, "maxReplicas is not set"),
    ("scale-hpa-max", HPA, {"spec": {"maxReplicas": 11}}, "scales to 11 replicas, allowed 10"),
    (
        "scale-hpa-max",
        HPA,
        {"spec": {"minReplicas": 3, "maxReplicas": 2}},
        "minReplicas 3 is above its maxReplicas 2",
    ),
]

# A limit that is not known before the update is never passed.
UNKNOWN_LIMITS: list[tuple[str, str, dict[str, Any]]] = [
    ("scale-cloudrun-worker-max", WORKERS, {"scaling": {"manualInstanceCount": UNKNOWN}}),
    (
        "scale-cloudrun-max-instances",
        SERVICE,
        {"template": {"scaling": {"maxInstanceCount": UNKNOWN}}},
    ),
    ("scale-cloudrun-timeout", SERVICE, {"template": {"timeout": UNKNOWN}}),
    ("scale-cloudrun-timeout", SERVICE, {"template": UNKNOWN}),
    (
        "scale-cloudrun-timeout",
        JOB,
        {"template": {"taskCount": UNKNOWN, "template": {"timeout": "60s"}}},
    ),
    ("scale-gke-pool-bounded", POOL, total(UNKNOWN)),
    ("scale-gke-pool-bounded", POOL, {"autoscaling": UNKNOWN}),
    ("scale-gke-gpu-per-pool", POOL, total(UNKNOWN)),
    ("scale-gke-gpu-per-pool", POOL, total(1, UNKNOWN)),
    ("scale-gpu-types-allowed", POOL, total(1, UNKNOWN)),
    ("scale-resources-set", DEPLOYMENT, pod({"resources": UNKNOWN})),
    ("scale-resources-set", DEPLOYMENT, {"spec": UNKNOWN}),
    ("scale-resources-set", DEPLOYMENT, pod(UNKNOWN)),
    ("scale-pubsub-retention", TOPIC, {"messageRetentionDuration": UNKNOWN}),
    ("scale-deploy-replicas", DEPLOYMENT, {"spec": {"replicas": UNKNOWN}}),
    ("scale-hpa-max", HPA, {"spec": {"maxReplicas": UNKNOWN}}),
    ("scale-gke-nap-limits", CLUSTER, nap(("cpu", UNKNOWN), ("memory", 1))),
    ("scale-gke-nap-limits", CLUSTER, {"clusterAutoscaling": {"enabled": UNKNOWN}}),
]


@pytest.mark.parametrize(("rule", "resource_type", "props"), COMPLIANT)
def test_compliant(rule: str, resource_type: str, props: dict[str, Any]) -> None:
    assert check(rule, resource_type, props, LIMITS[rule]) == []


@pytest.mark.parametrize(("rule", "resource_type", "props", "finding"), VIOLATING)
def test_violating(rule: str, resource_type: str, props: dict[str, Any], finding: str) -> None:
    messages = check(rule, resource_type, props, LIMITS[rule])
    assert len(messages) == 1
    assert messages[0].startswith(f"it ({resource_type}): ")
    assert finding in messages[0]
    assert "To mend: " in messages[0]


@pytest.mark.parametrize(("rule", "resource_type", "props"), UNKNOWN_LIMITS)
def test_unknown_limit(rule: str, resource_type: str, props: dict[str, Any]) -> None:
    messages = check(rule, resource_type, props, LIMITS[rule])
    assert messages
    assert all(
        "not known" in message or "not a known" in message or "not set" in message
        for message in messages
    )


@pytest.mark.parametrize("rule", sorted(LIMITS))
def test_not_applicable(rule: str) -> None:
    assert check(rule, NETWORK, {}, LIMITS[rule]) == NOT_APPLICABLE


@pytest.mark.parametrize("rule", sorted(rule for rule, limits in LIMITS.items() if limits))
@pytest.mark.parametrize("change", ["missing", "negative", "text", "unknown name"])
def test_config_that_cannot_be_used_fails_closed(rule: str, change: str) -> None:
    config = dict(LIMITS[rule])
    name = next(iter(config))
    if change == "missing":
        del config[name]
    elif change == "unknown name":
        config["maxNonsense"] = 1.0
    else:
        config[name] = {"negative": -1.0, "text": "many"}[change]
    resource_type, props = next(row[1:3] for row in COMPLIANT if row[0] == rule)
    messages = check(rule, resource_type, props, config)
    assert len(messages) == 1
    assert "The policy config cannot be used" in messages[0]


def gpu_total(cap: float, *resources: Any, region: float = 99, kind: float = 99) -> list[str]:
    limits = {"maxGpus": cap, "maxGpusPerRegion": region, "maxGpusPerType": kind}
    return check_stack("scale-gpu-total", list(resources), limits)


def test_gpu_total_sums_over_resources() -> None:
    pools = [
        resource(POOL, total(2, "a3-highgpu-8g"), "h100"),
        resource(POOL, total(4, "g2-standard-24"), "l4"),
    ]
    assert gpu_total(24, *pools) == []
    (message,) = gpu_total(23, *pools)
    assert "The stack: may take 24 GPUs, allowed 23" in message
    assert "most: h100 16 nvidia-h100-80gb, l4 8 nvidia-l4" in message


def test_gpus_are_counted_by_region_and_type() -> None:
    here = resource(POOL, total(4, "g2-standard-24"), "here")
    zone = resource(POOL, total(1, "a3-highgpu-8g", location="us-central1-a"), "zone")
    there = resource(POOL, total(2, "g2-standard-24", location="us-east4"), "there")
    assert gpu_total(20, here, zone, there, region=16, kind=12) == []
    (message,) = gpu_total(20, here, zone, there, region=15)
    assert "may take 16 GPUs in us-central1, allowed 15 (most: here 8" in message
    (message,) = gpu_total(20, here, zone, there, kind=11)
    assert "may take 12 GPUs of type nvidia-l4, allowed 11" in message


def test_gpus_whose_region_is_not_known_count_in_each() -> None:
    here = resource(POOL, total(4), "here")
    somewhere = resource(POOL, total(2, location=UNKNOWN), "somewhere")
    (message,) = gpu_total(20, here, somewhere, region=5)
    assert "may take 6 GPUs in us-central1" in message


def test_gpu_total_counts_cloud_run() -> None:
    service = {
        "template": {
            "scaling": {"maxInstanceCount": 3},
            "nodeSelector": {"accelerator": "nvidia-l4"},
            "containers": [{"resources": {"limits": {"nvidia.com/gpu": "1"}}}],
        }
    }
    assert gpu_total(3, resource(SERVICE, service)) == []
    assert "may take 3 GPUs" in gpu_total(2, resource(SERVICE, service))[0]


def test_gpu_total_counts_a_limit_of_the_cluster_and_its_pools_once() -> None:
    cluster = resource(
        CLUSTER,
        {"name": "c", "removeDefaultNodePool": True, **nap(("cpu", 1), ("nvidia-l4", 6))},
    )
    pool = resource(POOL, total(4, cluster="c"), "l4")
    assert gpu_total(6, cluster, pool) == []
    assert "may take 6 GPUs" in gpu_total(5, cluster, pool)[0]
    elsewhere = resource(POOL, total(4, cluster="d"), "other")
    assert "may take 10 GPUs" in gpu_total(9, cluster, pool, elsewhere)[0]


def test_gpu_total_names_what_is_unknown() -> None:
    (message,) = gpu_total(100, resource(POOL, total(UNKNOWN), "l4"))
    assert message.startswith(f"l4 ({POOL}): its number of GPUs is not known")


def test_gpu_total_passes_what_the_provider_computes() -> None:
    # A preview shows stack rules the outputs, where accelerators left unset are unknown.
    node = {"machineType": "e2-standard-4", "guestAccelerators": UNKNOWN}
    pool = {"autoscaling": {"totalMaxNodeCount": 3, "maxNodeCount": 0}, "nodeConfig": node}
    assert gpu_total(0, resource(POOL, pool)) == []


@pytest.mark.parametrize(("days", "told"), [(180, False), (181, True)])
def test_old_prices_are_told_by_the_pack(days: int, told: bool) -> None:
    pools = [resource(POOL, total(2, "g2-standard-8"), "l4")]
    oldest = estimate(Priced(each.type, each.props, each.urn) for each in pools).as_of
    rule = RULES["cost-prices-current"]
    config = {rule.id: {LEVEL: "advisory", "maxDays": 180.0}}
    settings = read_settings({rule.id: rule.limits}, config)
    day = oldest + dt.timedelta(days=days)
    messages = harness.messages(Judge([rule], settings, day).stack(pools))
    assert [f"{days} days old, allowed 180" in each for each in messages] == [True] * told


def dead_letters(*resources: Any, cap: float = 10) -> list[str]:
    return check_stack("scale-pubsub-dlq", list(resources), {"maxDeliveryAttempts": cap})


def test_subscription_without_dead_letters() -> None:
    (message,) = dead_letters(resource(SUBSCRIPTION, {"topic": "work"}, "work"))
    assert message.startswith(f"work ({SUBSCRIPTION}): has no deadLetterPolicy")


@pytest.mark.parametrize("export", ["bigqueryConfig", "cloudStorageConfig"])
def test_exports_need_no_dead_letters(export: str) -> None:
    assert dead_letters(resource(SUBSCRIPTION, {"topic": "t", export: {"table": UNKNOWN}})) == []


def test_reader_of_dead_letters_needs_none_by_name() -> None:
    policy = {"deadLetterTopic": "projects/p/topics/dead", "maxDeliveryAttempts": 5}
    main = resource(
        SUBSCRIPTION,
        {"topic": "work", "deadLetterPolicy": policy, "retryPolicy": {"minimumBackoff": "10s"}},
        "main",
    )
    pull = resource(SUBSCRIPTION, {"topic": "dead"}, "dead")
    assert dead_letters(main, pull, forwards(main)) == []


def forwards(subscription: Any) -> Any:
    """The right of Pub/Sub's agent to take messages from a subscription."""
    grant = {"role": "roles/pubsub.subscriber", "member": AGENT, "subscription": UNKNOWN}
    wired = {"subscription": [subscription]}
    return resource("gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember", grant, "take", wired)


def test_reader_of_dead_letters_needs_none_by_wiring() -> None:
    topic = resource(TOPIC, {}, "dead")
    policy = {"deadLetterTopic": UNKNOWN, "maxDeliveryAttempts": 5}
    main = resource(
        SUBSCRIPTION,
        {"deadLetterPolicy": policy, "retryPolicy": UNKNOWN},
        "main",
        {"deadLetterPolicy": [topic]},
    )
    pull = resource(SUBSCRIPTION, {"topic": UNKNOWN}, "dead", {"topic": [topic]})
    other = resource(
        SUBSCRIPTION, {"topic": UNKNOWN}, "other", {"topic": [resource(TOPIC, {}, "o")]}
    )
    take = forwards(main)
    publish = resource(
        "gcp:pubsub/topicIAMMember:TopicIAMMember",
        {"role": "roles/pubsub.publisher", "member": UNKNOWN, "topic": UNKNOWN},
        "publish",
        {"topic": [topic]},
    )
    assert dead_letters(topic, main, pull, take, publish) == []
    assert [message.split()[0] for message in dead_letters(main, pull, other, take)] == ["other"]
    (message,) = dead_letters(topic, main, pull, take)
    assert "agent may not publish to its dead-letter topic" in message
    (message,) = dead_letters(topic, main, pull, publish)
    assert "agent may not take messages from it" in message
    agent = {"role": "roles/pubsub.admin", "members": [AGENT]}
    everywhere = resource("gcp:projects/iAMBinding:IAMBinding", agent, "both")
    assert dead_letters(topic, main, pull, everywhere) == []


@pytest.mark.parametrize(
    ("attempts", "found"),
    [(11, "delivers 11 times"), (4, "the least there is are 5"), (UNKNOWN, "not known")],
)
def test_delivery_attempts(attempts: Any, found: str) -> None:
    policy = {"deadLetterTopic": "d", "maxDeliveryAttempts": attempts}
    props = {"topic": "t", "deadLetterPolicy": policy, "retryPolicy": {}}
    main = resource(SUBSCRIPTION, props, "main")
    (message,) = dead_letters(main, forwards(main))
    assert found in message


def test_attempts_without_a_pause() -> None:
    policy = {"deadLetterTopic": "d", "maxDeliveryAttempts": 5}
    main = resource(SUBSCRIPTION, {"topic": "t", "deadLetterPolicy": policy}, "main")
    (message,) = dead_letters(main, forwards(main))
    assert "has no retryPolicy" in message

"""Rules of the scale-limits pack on several resources, and on time."""

import datetime as dt
from typing import Any

import pytest

from cost.estimate import estimate
from policies.engine.config import LEVEL, read_settings
from policies.engine.judge import Judge
from tests.policies import harness
from tests.policies.harness import RULES, UNKNOWN, check_stack, resource

SERVICE = "gcp:cloudrunv2/service:Service"
CLUSTER = "gcp:container/cluster:Cluster"
POOL = "gcp:container/nodePool:NodePool"
TOPIC = "gcp:pubsub/topic:Topic"
SUBSCRIPTION = "gcp:pubsub/subscription:Subscription"
AGENT = "serviceAccount:service-1@gcp-sa-pubsub.iam.gserviceaccount.com"


def total(nodes: Any, machine_type: str = "g2-standard-8", **props: Any) -> dict[str, Any]:
    return {
        "location": "us-central1",
        "autoscaling": {"totalMaxNodeCount": nodes},
        "nodeConfig": {"machineType": machine_type},
        **props,
    }


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
    most = [{"resourceType": "cpu", "maximum": 1}, {"resourceType": "nvidia-l4", "maximum": 6}]
    auto = {"enabled": True, "resourceLimits": most}
    cluster = resource(
        CLUSTER,
        {"name": "c", "removeDefaultNodePool": True, "clusterAutoscaling": auto},
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
    oldest = estimate(pools).as_of
    rule = RULES["cost-prices-current"]
    config = {rule.id: {LEVEL: "advisory", "maxDays": 180.0}}
    settings = read_settings([rule], config)
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
    """Return the right of Pub/Sub's agent to take messages from a subscription."""
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

"""The rules of the scale-limits pack."""

from typing import Final

from policies.rules.rule import AnyRule
from policies.rules.scale_limits import (
    cloud_run_instances_capped,
    cloud_run_timeout_capped,
    containers_sized,
    gke_auto_provisioning_limited,
    gke_gpus_per_pool_capped,
    gke_pool_bounded,
    gpu_total_capped,
    gpu_types_allowed,
    hpa_capped,
    monthly_cost_capped,
    pubsub_dead_letters,
    pubsub_retention_capped,
    replicas_capped,
)

RULES: Final[tuple[AnyRule, ...]] = (
    cloud_run_instances_capped.RULE,
    cloud_run_timeout_capped.RULE,
    gke_pool_bounded.RULE,
    gke_gpus_per_pool_capped.RULE,
    gke_auto_provisioning_limited.RULE,
    gpu_total_capped.RULE,
    gpu_types_allowed.RULE,
    containers_sized.RULE,
    pubsub_dead_letters.RULE,
    pubsub_retention_capped.RULE,
    replicas_capped.RULE,
    hpa_capped.RULE,
    monthly_cost_capped.RULE,
)

"""The autoscaler of a model's replicas: more of them while requests wait, or by what they have, and
none while nobody asks.

The number of waiting requests follows load at once and stays 0 while there is room, unlike the
GPU's duty cycle; running requests and the KV cache tell of load before any waits:
https://cloud.google.com/kubernetes-engine/docs/best-practices/machine-learning/inference/autoscaling
"""

from collections.abc import Mapping
from typing import Final

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.autoscaling.v2 import MetricSpecArgsDict

from catalog.limits.inference import SCALE_DOWN_SECONDS
from catalog.metrics import METRICS
from components.inference.custom_resources import Identity
from components.inference.pod_autoscaler import pod_autoscaler

_SHARES: Final = frozenset({"server_kv_cache"})
"""Metrics from 0 to 1, whose target is in percent."""
_NEVER: Final = 1_000_000
"""A target that nothing reaches: what is above 0 asks for one replica, and no more."""


def adapter_name(metric: str) -> str:
    """Return Cloud Monitoring's name of a metric, as the custom metrics adapter takes it."""
    return f"prometheus.googleapis.com|{METRICS[metric].name}|{METRICS[metric].kind}"


def autoscaler(
    resource_name: str,
    identity: Identity,
    deployment: pulumi.Input[str],
    *,
    replicas: tuple[int, int],
    targets: Mapping[str, int | None],
    asked: Mapping[str, Mapping[str, pulumi.Input[str]]],
    scale_down_seconds: int | None,
    opts: pulumi.ResourceOptions,
) -> kubernetes.autoscaling.v2.HorizontalPodAutoscaler:
    """Make the autoscaler of a Deployment, between the least and the most `replicas`.

    `targets` are what it aims at on average, by metric: as many replicas as the one needs that
    needs most. Those of replicas go with the last one: `asked` are metrics of others that tell
    whether the model is asked, by metric the labels of its time series; while one of them is above
    0, there is a replica.
    https://docs.cloud.google.com/kubernetes-engine/docs/tutorials/scale-to-from-zero-hpa
    """
    aims = dict(targets)
    if asked and aims.get("server_running") is None:
        # A long answer keeps its replica.
        aims["server_running"] = _NEVER
    return pod_autoscaler(
        resource_name,
        identity,
        deployment,
        replicas=replicas,
        metrics=[
            *(_target(metric, target) for metric, target in aims.items() if target is not None),
            *(_asked(metric, labels) for metric, labels in asked.items()),
        ],
        scale_down_seconds=(
            SCALE_DOWN_SECONDS.default if scale_down_seconds is None else scale_down_seconds
        ),
        # A removed replica takes minutes to come back: its node starts, its model loads.
        pod_seconds=300,
        opts=opts,
    )


def _target(metric: str, target: int) -> MetricSpecArgsDict:
    average = f"{target * 10}m" if metric in _SHARES else str(target)
    return {
        "type": "Pods",
        "pods": {
            "metric": {"name": adapter_name(metric)},
            "target": {"type": "AverageValue", "average_value": average},
        },
    }


def _asked(metric: str, labels: Mapping[str, pulumi.Input[str]]) -> MetricSpecArgsDict:
    return {
        "type": "External",
        "external": {
            "metric": {"name": adapter_name(metric), "selector": {"match_labels": labels}},
            "target": {"type": "AverageValue", "average_value": str(_NEVER)},
        },
    }

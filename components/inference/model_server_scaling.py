"""The autoscaler of a model's replicas: more of them while requests wait.

The number of waiting requests follows load at once and stays 0 while there is room, unlike the
GPU's duty cycle:
https://cloud.google.com/kubernetes-engine/docs/best-practices/machine-learning/inference/autoscaling
"""

from typing import Final

import pulumi
import pulumi_kubernetes as kubernetes

from catalog.metrics import METRICS
from components.inference.custom_resources import Identity

METRIC: Final = f"prometheus.googleapis.com|{METRICS['server_waiting'].name}|gauge"
"""Cloud Monitoring's name of the metric, as the custom metrics adapter takes it."""
SCALE_DOWN_SECONDS: Final = 600
"""A removed replica takes minutes to come back: its node starts and its model loads anew."""


def queue_autoscaler(
    resource_name: str,
    identity: Identity,
    deployment: pulumi.Input[str],
    *,
    replicas: tuple[int, int],
    queue: int,
    opts: pulumi.ResourceOptions,
) -> kubernetes.autoscaling.v2.HorizontalPodAutoscaler:
    """Make the autoscaler of a Deployment, between the least and the most `replicas`.

    It aims at `queue` waiting requests of a replica, on average. The metric goes with the last
    replica, so the least is never 0.
    """
    least, most = replicas
    return kubernetes.autoscaling.v2.HorizontalPodAutoscaler(
        resource_name,
        metadata=identity.metadata(),
        spec={
            "scale_target_ref": {
                "api_version": "apps/v1",
                "kind": "Deployment",
                "name": deployment,
            },
            "min_replicas": least,
            "max_replicas": most,
            "metrics": [
                {
                    "type": "Pods",
                    "pods": {
                        "metric": {"name": METRIC},
                        "target": {"type": "AverageValue", "average_value": str(queue)},
                    },
                }
            ],
            "behavior": {
                "scale_down": {
                    "stabilization_window_seconds": SCALE_DOWN_SECONDS,
                    "policies": [{"type": "Pods", "value": 1, "period_seconds": 300}],
                },
            },
        },
        opts=opts,
    )

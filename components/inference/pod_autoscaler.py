"""The autoscaler of a Deployment: more pods at once, one less at a time."""

from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.autoscaling.v2 import MetricSpecArgsDict

from components.inference.custom_resources import Identity


def pod_autoscaler(
    resource_name: str,
    identity: Identity,
    deployment: pulumi.Input[str],
    *,
    replicas: tuple[int, int],
    metrics: Sequence[MetricSpecArgsDict],
    scale_down_seconds: int,
    pod_seconds: int,
    opts: pulumi.ResourceOptions,
) -> kubernetes.autoscaling.v2.HorizontalPodAutoscaler:
    """Make the autoscaler, between the least and the most `replicas`.

    A pod goes once fewer would have done for `scale_down_seconds`, and the next one `pod_seconds`
    later at the earliest.
    https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/
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
            "metrics": [*metrics],
            "behavior": {
                "scale_down": {
                    "stabilization_window_seconds": scale_down_seconds,
                    "policies": [{"type": "Pods", "value": 1, "period_seconds": pod_seconds}],
                },
            },
        },
        opts=opts,
    )

"""What stands around the pods of several workloads: accounts, budgets, Services, callouts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.core.v1 import PodSpecArgsDict

from components.inference.custom_resources import SERVICE, Identity, grpc_health_check
from components.inference.pod_autoscaler import pod_autoscaler

PROXY_REPLICAS: Final = (2, 8)
"""The least and the most of what every request of a region, or of a model, passes."""
CPU_PERCENT: Final = 60
"""Of what a pod asks for. More load comes before a new pod does."""
SCALE_DOWN_SECONDS: Final = 300


def service_account(
    name: str, identity: Identity, opts: pulumi.ResourceOptions
) -> kubernetes.core.v1.ServiceAccount:
    """Make the account of a workload. Pods that need its token say so."""
    return kubernetes.core.v1.ServiceAccount(
        f"{name}-account",
        metadata=identity.metadata(),
        automount_service_account_token=False,
        opts=opts,
    )


def disruption_budget(
    name: str, identity: Identity, selector: Mapping[str, str], opts: pulumi.ResourceOptions
) -> kubernetes.policy.v1.PodDisruptionBudget:
    """Make the budget that lets a node's drain take one pod at a time."""
    return kubernetes.policy.v1.PodDisruptionBudget(
        f"{name}-disruption-budget",
        metadata=identity.metadata(),
        spec={"max_unavailable": 1, "selector": {"match_labels": dict(selector)}},
        opts=opts,
    )


def ext_proc_service(
    name: str,
    identity: Identity,
    selector: Mapping[str, str],
    port: int,
    opts: pulumi.ResourceOptions,
    *,
    app_protocol: str = "HTTP2",
) -> kubernetes.core.v1.Service:
    """Make the Service of a server for the ext_proc protocol of Envoy, over gRPC without TLS."""
    return kubernetes.core.v1.Service(
        f"{name}-service",
        metadata=identity.metadata(),
        spec={
            "selector": dict(selector),
            "ports": [
                {
                    "name": "grpc-ext-proc",
                    "port": port,
                    "target_port": port,
                    "protocol": "TCP",
                    "app_protocol": app_protocol,
                }
            ],
        },
        opts=opts,
    )


def cpu_autoscaler(
    name: str,
    identity: Identity,
    deployment: pulumi.Input[str],
    replicas: tuple[int, int],
    opts: pulumi.ResourceOptions,
) -> kubernetes.autoscaling.v2.HorizontalPodAutoscaler:
    """Make the autoscaler of a Deployment by the CPU its pods use, between the least and the most
    `replicas`.

    The load balancer sends a new pod its share within seconds, so it comes at once and goes late.
    Memory isn't looked at: these programs hold none for a request longer than it lasts.
    https://cloud.google.com/kubernetes-engine/docs/concepts/horizontalpodautoscaler
    """
    return pod_autoscaler(
        f"{name}-autoscaler",
        identity,
        deployment,
        replicas=replicas,
        metrics=[
            {
                "type": "Resource",
                "resource": {
                    "name": "cpu",
                    "target": {"type": "Utilization", "average_utilization": CPU_PERCENT},
                },
            }
        ],
        scale_down_seconds=SCALE_DOWN_SECONDS,
        pod_seconds=60,
        opts=opts,
    )


@dataclass(frozen=True)
class Callout:
    """A server that a load balancer calls out to: ready when all three are."""

    deployment: kubernetes.apps.v1.Deployment
    service: kubernetes.core.v1.Service
    health_check: CustomResource


def callout(
    name: str,
    identity: Identity,
    selector: Mapping[str, str],
    pod: PodSpecArgsDict,
    *,
    replicas: tuple[int, int],
    port: int,
    health_port: int,
    parent: pulumi.Resource,
) -> Callout:
    """Make a server for the ext_proc protocol, with the account its pods name.

    It is autoscaled where the most `replicas` are more than the least. `health_port` answers the
    gRPC health service.
    """
    least, most = replicas
    child = pulumi.ResourceOptions(parent=parent)
    account = service_account(name, identity, child)
    disruption_budget(name, identity, selector, child)
    deployment = kubernetes.apps.v1.Deployment(
        f"{name}-deployment",
        metadata=identity.metadata(),
        spec={
            "replicas": least,
            "selector": {"match_labels": dict(selector)},
            "template": {"metadata": {"labels": dict(identity.labels)}, "spec": pod},
        },
        opts=pulumi.ResourceOptions(
            parent=parent,
            depends_on=[account],
            ignore_changes=["spec.replicas"] if most > least else None,
        ),
    )
    if most > least:
        cpu_autoscaler(name, identity, deployment.metadata.name, replicas, child)
    service = ext_proc_service(name, identity, selector, port, child)
    health_check = grpc_health_check(
        f"{name}-health-check",
        identity,
        {"group": "", "kind": SERVICE.kind, "name": identity.name},
        health_port,
        child,
    )
    return Callout(deployment, service, health_check)

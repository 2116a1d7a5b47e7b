"""What stands around the pods of several workloads: accounts, budgets, Services, callouts."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.core.v1 import PodSpecArgsDict

from components.inference.custom_resources import SERVICE, Identity, grpc_health_check


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
    replicas: int,
    port: int,
    health_port: int,
    parent: pulumi.Resource,
) -> Callout:
    """Make a server for the ext_proc protocol, with the account its pods name.

    `health_port` answers the gRPC health service.
    """
    child = pulumi.ResourceOptions(parent=parent)
    account = service_account(name, identity, child)
    disruption_budget(name, identity, selector, child)
    deployment = kubernetes.apps.v1.Deployment(
        f"{name}-deployment",
        metadata=identity.metadata(),
        spec={
            "replicas": replicas,
            "selector": {"match_labels": dict(selector)},
            "template": {"metadata": {"labels": dict(identity.labels)}, "spec": pod},
        },
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[account]),
    )
    service = ext_proc_service(name, identity, selector, port, child)
    health_check = grpc_health_check(
        f"{name}-health-check",
        identity,
        {"group": "", "kind": SERVICE.kind, "name": identity.name},
        health_port,
        child,
    )
    return Callout(deployment, service, health_check)

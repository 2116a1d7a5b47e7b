"""Replicas that span nodes: a leader that answers and its workers, as one LeaderWorkerSet.

Source: https://lws.sigs.k8s.io/docs/examples/vllm, for RDMA
https://cloud.google.com/kubernetes-engine/docs/how-to/allocate-network-resources-dra and for TPUs
https://github.com/kubernetes-sigs/lws/tree/v0.8.0/docs/examples/vllm/TPU
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.core.v1 import PodSpecArgsDict

from components.inference import vllm
from components.inference.custom_resources import LEADER_WORKER_SET, Identity, custom_resource

LEADER: Final[Mapping[str, str]] = {"app.kubernetes.io/component": "leader"}
WORKER: Final[Mapping[str, str]] = {"app.kubernetes.io/component": "worker"}
RDMA_DEVICES: Final = "mrdma.google.com"
CLAIM: Final = "rdma"
# Every pod of a group on one node pool, which is a slice, and one group on each.
_ON_ONE_SLICE: Final = {
    "leaderworkerset.sigs.k8s.io/exclusive-topology": "cloud.google.com/gke-nodepool"
}
_FREE: Final = frozenset({"nodeSelector", "volumeAttributes", "requests", "limits"})
_ONLY_LEADER: Final = ("ports", "startupProbe", "readinessProbe", "livenessProbe", "lifecycle")


def rdma_claim(
    resource_name: str, identity: Identity, opts: pulumi.ResourceOptions
) -> kubernetes.resource.v1.ResourceClaimTemplate:
    """Make the template of the claim on all RDMA interfaces of a pod's node."""
    return kubernetes.resource.v1.ResourceClaimTemplate(
        resource_name,
        metadata=identity.metadata(),
        spec={
            "spec": {
                "devices": {
                    "requests": [
                        {
                            "name": CLAIM,
                            "exactly": {
                                "device_class_name": RDMA_DEVICES,
                                "allocation_mode": "All",
                            },
                        }
                    ]
                }
            }
        },
        opts=opts,
    )


def replica_groups(
    resource_name: str,
    identity: Identity,
    pod: PodSpecArgsDict,
    *,
    labels: Mapping[str, str],
    replicas: int,
    nodes: int,
    claim_template: pulumi.Input[str] | None,
    tpu: bool,
    annotations: Mapping[str, str],
    opts: pulumi.ResourceOptions,
) -> CustomResource:
    """Make `replicas` groups of `nodes` pods each, from the pod of a replica on one node.

    A group lives and dies as a whole: without one of its pods the model is not complete.
    """
    spec = {
        "replicas": replicas,
        "rolloutStrategy": {
            "type": "RollingUpdate",
            "rollingUpdateConfiguration": {"maxUnavailable": 1, "maxSurge": 0},
        },
        "leaderWorkerTemplate": {
            "size": nodes,
            "restartPolicy": "RecreateGroupOnPodRestart",
            "leaderTemplate": _template(labels, LEADER, pod, nodes, claim_template, tpu),
            "workerTemplate": _template(labels, WORKER, pod, nodes, claim_template, tpu),
        },
    }
    if tpu:
        annotations = {**annotations, **_ON_ONE_SLICE}
    return custom_resource(resource_name, LEADER_WORKER_SET, identity, spec, opts, annotations)


def _template(
    labels: Mapping[str, str],
    role: Mapping[str, str],
    pod: PodSpecArgsDict,
    nodes: int,
    claim_template: pulumi.Input[str] | None,
    tpu: bool,
) -> dict[str, Any]:
    # Of a custom resource the SDK translates no names.
    spec = cast("dict[str, Any]", _camel_case(pod))
    (container,) = spec["containers"]
    arguments = cast("Sequence[str]", container["args"])
    leader = role is LEADER
    if tpu:
        command = vllm.SLICE_LEADER_COMMAND if leader else vllm.SLICE_WORKER_COMMAND
        container["command"] = list(command)
        container["args"] = vllm.slice_arguments(arguments) if leader else []
        container["env"] += [
            {"name": name, "value": value} for name, value in vllm.SLICE_ENVIRONMENT.items()
        ]
    else:
        container["command"] = list(vllm.MULTI_NODE_COMMAND)
        container["args"] = vllm.multi_node_arguments(arguments, nodes, leader=leader)
    if role is WORKER:
        for key in _ONLY_LEADER:
            container.pop(key, None)
    if claim_template is not None:
        spec["resourceClaims"] = [{"name": CLAIM, "resourceClaimTemplateName": claim_template}]
        container["resources"]["claims"] = [{"name": CLAIM}]
    return {"metadata": {"labels": {**labels, **role}}, "spec": spec}


def _camel_case(value: object) -> object:
    """Return the value with Kubernetes' own names; keys of free text are left alone."""
    if isinstance(value, Mapping):
        entries = cast("Mapping[str, object]", value)
        return {
            _camel(key): entry if _camel(key) in _FREE else _camel_case(entry)
            for key, entry in entries.items()
        }
    if isinstance(value, (list, tuple)):
        return [_camel_case(entry) for entry in cast("list[object]", value)]
    return value


def _camel(key: str) -> str:
    first, *rest = key.split("_")
    return first + "".join(part.capitalize() for part in rest)

"""How many GPUs of which type a resource may take at most."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from catalog.machines import MACHINE_TYPES
from policies.rules.cloud_run import max_instances
from policies.rules.node_pools import max_nodes
from policies.rules.peek import (
    MISSING,
    UNKNOWN,
    Absence,
    Props,
    entries,
    flag,
    is_mapping,
    number,
    peek,
    text,
)
from policies.rules.rule import Resource

NODE_POOL: Final = "gcp:container/nodePool:NodePool"
CLUSTER: Final = "gcp:container/cluster:Cluster"

# GPU of each accelerator-optimised machine family, for types the catalog does not list.
# https://cloud.google.com/compute/docs/gpus
_FAMILIES: Final[Mapping[str, str]] = {
    "a2-highgpu": "nvidia-tesla-a100",
    "a2-megagpu": "nvidia-tesla-a100",
    "a2-ultragpu": "nvidia-a100-80gb",
    "a3-edgegpu": "nvidia-h100-80gb",
    "a3-highgpu": "nvidia-h100-80gb",
    "a3-megagpu": "nvidia-h100-mega-80gb",
    "a3-ultragpu": "nvidia-h200-141gb",
    "a4-highgpu": "nvidia-b200",
    "a4x-highgpu": "nvidia-gb200",
    "g2-standard": "nvidia-l4",
    "g4-standard": "nvidia-rtx-pro-6000",
}
_ATTACHABLE: Final = (
    "nvidia-tesla-k80",
    "nvidia-tesla-p4",
    "nvidia-tesla-p100",
    "nvidia-tesla-t4",
    "nvidia-tesla-v100",
)
GPU_TYPES: Final = tuple(
    sorted(
        {*_FAMILIES.values(), *_ATTACHABLE}
        | {machine.gpu_type for machine in MACHINE_TYPES.values() if machine.gpu_count}
    )
)
# The number in G4 names is that of vCPUs; sizes not listed have one GPU.
_GPUS_BY_SIZE: Final[Mapping[str, float]] = {
    "g4-standard-96": 2,
    "g4-standard-192": 4,
    "g4-standard-384": 8,
}
_GPU_MACHINE: Final = re.compile(r"(?P<family>[ag]\d+x?-[a-z]+)-(?P<size>\d+)(?P<counts>g?)(-.*)?")
_GPU_FAMILY: Final = re.compile(r"[ag]\d+x?-.*")
_TAKES_ACCELERATORS: Final = re.compile(r"(n1-|custom-|f1-|g1-).*")
_RESOURCE: Final = "nvidia.com/gpu"
_CLOUD_RUN_DEFAULT: Final = "nvidia-l4"


@dataclass(frozen=True)
class Gpus:
    """GPUs of one machine, node or instance."""

    type: str | Absence
    count: float | Absence


@dataclass(frozen=True)
class GpuDemand:
    """The most GPUs of one type that a resource may take."""

    type: str | Absence
    count: float | Absence
    cluster: str | None = None
    """Name of the GKE cluster, when known."""
    cluster_limit: bool = False
    """Whether this is a limit over all node pools of the cluster rather than one more demand."""


def gpu_demand(resource: Resource) -> list[GpuDemand]:
    """What the resource may take at most; `UNKNOWN` counts are not known during this preview."""
    handler = _HANDLERS.get(resource.type)
    return list(handler(resource.props)) if handler else []


def machine_gpus(machine_type: str | Absence, accelerators: object) -> list[Gpus]:
    """GPUs of a machine, by its type and the accelerators attached to it."""
    if machine_type is UNKNOWN:
        return [Gpus(UNKNOWN, UNKNOWN)]
    name = machine_type if isinstance(machine_type, str) else ""
    built_in = _built_in(name.rpartition("/")[2])
    if built_in is not None:
        return [built_in]
    attached = entries(accelerators)
    if isinstance(attached, Absence):
        # Accelerators left unset are unknown in what a preview gives to stack rules.
        is_open = attached is UNKNOWN and _TAKES_ACCELERATORS.fullmatch(name)
        return [Gpus(UNKNOWN, UNKNOWN)] if is_open else []
    return [gpus for gpus in map(_attached, attached) if gpus.count != 0]


def _built_in(machine_type: str) -> Gpus | None:
    known = MACHINE_TYPES.get(machine_type)
    if known is not None:
        return Gpus(known.gpu_type, float(known.gpu_count)) if known.gpu_count else None
    if not _GPU_FAMILY.fullmatch(machine_type):
        return None
    match = _GPU_MACHINE.fullmatch(machine_type)
    family = _FAMILIES.get(match["family"]) if match else None
    if match is None or family is None:
        return Gpus(UNKNOWN, UNKNOWN)
    count = float(match["size"]) if match["counts"] else _GPUS_BY_SIZE.get(machine_type, 1)
    return Gpus(family, float(count))


def _attached(accelerator: object) -> Gpus:
    kind = text(accelerator, "type")
    count = number(accelerator, "count")
    return Gpus(
        gpu_name(kind) if isinstance(kind, str) else UNKNOWN,
        UNKNOWN if isinstance(count, Absence) else count,
    )


def gpu_name(accelerator: str) -> str:
    """One spelling for `NVIDIA_L4`, `.../acceleratorTypes/nvidia-l4` and `nvidia-l4`."""
    return accelerator.rpartition("/")[2].lower().replace("_", "-")


def _times(gpus: Gpus, machines: float | Absence, cluster: str | None = None) -> GpuDemand:
    if isinstance(machines, Absence) or isinstance(gpus.count, Absence):
        return GpuDemand(gpus.type, UNKNOWN, cluster)
    return GpuDemand(gpus.type, machines * gpus.count, cluster)


def _node_pool(props: Props) -> Iterator[GpuDemand]:
    cluster = text(props, "cluster")
    for gpus in node_gpus(peek(props, "nodeConfig")):
        yield _times(gpus, max_nodes(props), cluster if isinstance(cluster, str) else None)


def node_gpus(node_config: object) -> list[Gpus]:
    """GPUs of one node."""
    return machine_gpus(text(node_config, "machineType"), peek(node_config, "guestAccelerators"))


def _cluster(props: Props) -> Iterator[GpuDemand]:
    name = text(props, "name")
    cluster = name if isinstance(name, str) else None
    if flag(props, "enableAutopilot") is True:
        return
    if flag(props, "removeDefaultNodePool") is not True and is_mapping(peek(props, "nodeConfig")):
        for gpus in node_gpus(peek(props, "nodeConfig")):
            yield _times(gpus, max_nodes(props), cluster)
    limits = entries(props, "clusterAutoscaling", "resourceLimits")
    if flag(props, "clusterAutoscaling", "enabled") is not True or not isinstance(limits, tuple):
        return
    for limit in limits:
        kind, most = text(limit, "resourceType"), number(limit, "maximum")
        if kind not in ("cpu", "memory"):
            gpu_type = gpu_name(kind) if isinstance(kind, str) else UNKNOWN
            yield GpuDemand(gpu_type, UNKNOWN if most is MISSING else most, cluster, True)


def _cloud_run(template: tuple[str, ...]) -> Callable[[Props], Iterator[GpuDemand]]:
    def demand(props: Props) -> Iterator[GpuDemand]:
        accelerator = text(props, *template, "nodeSelector", "accelerator")
        containers = entries(props, *template, "containers")
        each = [
            number(container, "resources", "limits", _RESOURCE)
            for container in (containers if isinstance(containers, tuple) else ())
        ]
        count: float | Absence = sum(value for value in each if isinstance(value, float))
        if accelerator is not MISSING and not count:
            count = UNKNOWN if UNKNOWN in each or containers is UNKNOWN else 1.0
        if count:
            kind = gpu_name(accelerator) if isinstance(accelerator, str) else accelerator
            gpus = Gpus(_CLOUD_RUN_DEFAULT if kind is MISSING else kind, count)
            yield _times(gpus, max_instances(props))

    return demand


def _instance(props: Props) -> Iterator[GpuDemand]:
    for gpus in machine_gpus(text(props, "machineType"), peek(props, "guestAccelerators")):
        yield _times(gpus, 1.0)


def _workbench(props: Props) -> Iterator[GpuDemand]:
    for gpus in machine_gpus(text(props, "gceSetup", "machineType"), MISSING):
        yield _times(gpus, 1.0)
    accelerators = entries(props, "gceSetup", "acceleratorConfigs")
    for accelerator in accelerators if isinstance(accelerators, tuple) else ():
        kind, count = text(accelerator, "type"), number(accelerator, "coreCount")
        yield GpuDemand(gpu_name(kind) if isinstance(kind, str) else UNKNOWN, count)


def _vertex(dedicated: tuple[str, ...]) -> Callable[[Props], Iterator[GpuDemand]]:
    def demand(props: Props) -> Iterator[GpuDemand]:
        machine = peek(props, *dedicated, "machineSpec")
        replicas = number(props, *dedicated, "maxReplicaCount")
        kind, count = text(machine, "acceleratorType"), number(machine, "acceleratorCount")
        if kind is MISSING:
            for gpus in machine_gpus(text(machine, "machineType"), MISSING):
                yield _times(gpus, replicas)
        else:
            yield _times(Gpus(gpu_name(kind) if isinstance(kind, str) else kind, count), replicas)

    return demand


_HANDLERS: Final[Mapping[str, Callable[[Props], Iterator[GpuDemand]]]] = {
    NODE_POOL: _node_pool,
    CLUSTER: _cluster,
    "gcp:cloudrunv2/service:Service": _cloud_run(("template",)),
    "gcp:cloudrunv2/workerPool:WorkerPool": _cloud_run(("template",)),
    "gcp:cloudrunv2/job:Job": _cloud_run(("template", "template")),
    "gcp:compute/instance:Instance": _instance,
    "gcp:workbench/instance:Instance": _workbench,
    "gcp:vertex/aiEndpointWithModelGardenDeployment:AiEndpointWithModelGardenDeployment": _vertex(
        ("deployConfig", "dedicatedResources")
    ),
    "gcp:vertex/aiDeploymentResourcePool:AiDeploymentResourcePool": _vertex(
        ("dedicatedResources",)
    ),
}
GPU_RESOURCES: Final = frozenset(_HANDLERS)

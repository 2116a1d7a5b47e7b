"""How many GPUs, or TPU chips, of which type a resource may take at most.

What is made of a template is in `templates.py`: only the whole stack shows how many there are.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from catalog.conventions import GPUS
from catalog.machines import MACHINE_TYPES, PARTITIONS
from resources.cloud_run import max_instances
from resources.node_pools import max_nodes
from resources.properties import (
    MISSING,
    UNKNOWN,
    Absence,
    Props,
    elements,
    entries,
    flag,
    get,
    is_mapping,
    number,
    text,
)
from resources.resource import Resource

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
# https://cloud.google.com/kubernetes-engine/docs/concepts/tpus
_TPU_FAMILIES: Final[Mapping[str, str]] = {
    "ct3": "tpu-v3-device",
    "ct3p": "tpu-v3-slice",
    "ct4p": "tpu-v4-podslice",
    "ct5l": "tpu-v5-lite-device",
    "ct5lp": "tpu-v5-lite-podslice",
    "ct5p": "tpu-v5p-slice",
    "ct6e": "tpu-v6e-slice",
    "tpu7x": "tpu7x",
}
# What a TPU VM calls the same.
_TPU_VERSIONS: Final[Mapping[str, str]] = {
    "v3": "tpu-v3-slice",
    "v4": "tpu-v4-podslice",
    "v5litepod": "tpu-v5-lite-podslice",
    "v5p": "tpu-v5p-slice",
    "v6e": "tpu-v6e-slice",
}
# Versions whose accelerator types count cores, two to a chip: `v5p-8` has four chips.
# https://cloud.google.com/tpu/docs/v5p
_BY_CORES: Final = frozenset({"v3", "v4", "v5p"})
GPU_TYPES: Final = tuple(
    sorted(
        {*_FAMILIES.values(), *_ATTACHABLE, *_TPU_FAMILIES.values()}
        | {machine.gpu_type for machine in MACHINE_TYPES.values() if machine.gpu_count}
    )
)
_GPU_MACHINE: Final = re.compile(r"(?P<family>[ag]\d+x?-[a-z]+)-(?P<size>\d+)(?P<counts>g?)(-.*)?")
_GPU_FAMILY: Final = re.compile(r"[ag]\d+x?-.*|ct\d.*|tpu.*")
_TPU_MACHINE: Final = re.compile(r"(?P<family>ct\d[a-z]*|tpu\d+x?)-[a-z]+-(?P<chips>\d+)t")
_TAKES_ACCELERATORS: Final = re.compile(r"(n1-|custom-|f1-|g1-).*")
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
    """Name of the GKE cluster, or of the reservation, that it is taken from, when known."""
    cluster_limit: bool = False
    """Whether this is all of the cluster or reservation together rather than one more demand."""


def gpu_demand(resource: Resource) -> list[GpuDemand]:
    """Return what the resource may take at most; `UNKNOWN` counts are not known during this
    preview."""
    handler = _HANDLERS.get(resource.type)
    return list(handler(resource.props)) if handler else []


def machine_gpus(machine_type: str | Absence, accelerators: object) -> list[Gpus]:
    """Return GPUs of a machine, by its type and the accelerators attached to it."""
    if machine_type is UNKNOWN:
        return [Gpus(UNKNOWN, UNKNOWN)]
    name = machine_type.strip().lower().rpartition("/")[2] if isinstance(machine_type, str) else ""
    built_in = _built_in(name)
    attached = entries(accelerators)
    if built_in is not None:
        return [_larger(built_in, map(_attached, elements(attached)))]
    if isinstance(attached, Absence):
        # Accelerators left unset are unknown in what a preview gives to stack rules.
        is_open = attached is UNKNOWN and _TAKES_ACCELERATORS.fullmatch(name)
        return [Gpus(UNKNOWN, UNKNOWN)] if is_open else []
    return [gpus for gpus in map(_attached, attached) if gpus.count != 0]


def _larger(built_in: Gpus, attached: Iterable[Gpus]) -> Gpus:
    """Return the built-in GPUs, or as many as are named beside them, which must be the same
    ones."""
    counts = [built_in.count, *(each.count for each in attached if each.type == built_in.type)]
    known = [count for count in counts if isinstance(count, float)]
    return Gpus(built_in.type, UNKNOWN if len(known) < len(counts) else max(known))


def _built_in(machine_type: str) -> Gpus | None:
    known = MACHINE_TYPES.get(machine_type)
    if known is not None:
        return Gpus(known.gpu_type, float(known.gpu_count)) if known.gpu_count else None
    if not _GPU_FAMILY.fullmatch(machine_type):
        return None
    tpu = _TPU_MACHINE.fullmatch(machine_type)
    if tpu:
        return Gpus(_TPU_FAMILIES.get(tpu["family"], UNKNOWN), float(tpu["chips"]))
    match = _GPU_MACHINE.fullmatch(machine_type)
    family = _FAMILIES.get(match["family"]) if match else None
    if match is None or family is None:
        return Gpus(UNKNOWN, UNKNOWN)
    # The number in G4 names is that of vCPUs; sizes that the catalog does not list share one GPU.
    return Gpus(family, float(match["size"]) if match["counts"] else 1.0)


def _attached(accelerator: object) -> Gpus:
    kind, count = text(accelerator, "type"), number(accelerator, "count")
    # Reservations and Dataproc have longer names for the same.
    kind = text(accelerator, "acceleratorType") if kind is MISSING else kind
    count = number(accelerator, "acceleratorCount") if count is MISSING else count
    return Gpus(
        gpu_name(kind) if isinstance(kind, str) else UNKNOWN,
        UNKNOWN if isinstance(count, Absence) else count,
    )


def gpu_name(accelerator: str) -> str:
    """Return one spelling for `NVIDIA_L4`, `.../acceleratorTypes/nvidia-l4` and `nvidia-l4`."""
    return accelerator.strip().rpartition("/")[2].lower().replace("_", "-")


def times(gpus: Gpus, machines: float | Absence, cluster: str | None = None) -> GpuDemand:
    """Return the GPUs of so many machines."""
    if isinstance(machines, Absence) or isinstance(gpus.count, Absence):
        return GpuDemand(gpus.type, UNKNOWN, cluster)
    return GpuDemand(gpus.type, machines * gpus.count, cluster)


def _node_pool(props: Props) -> Iterator[GpuDemand]:
    named = text(props, "cluster")
    cluster = _reserved(props) or (named if isinstance(named, str) else None)
    for gpus in node_gpus(get(props, "nodeConfig")):
        yield times(gpus, max_nodes(props), cluster)


def _reserved(pool: Props) -> str | None:
    affinity = get(pool, "nodeConfig", "reservationAffinity")
    name = text(affinity, "values", 0)
    specific = text(affinity, "consumeReservationType") == "SPECIFIC_RESERVATION"
    return _reservation_name(name) if specific and isinstance(name, str) else None


def _reservation_name(name: str) -> str:
    return f"reservation {name.partition('/reservationBlocks/')[0].rpartition('/')[2]}"


def node_gpus(node_config: object) -> list[Gpus]:
    """Return GPUs of one node."""
    return machine_gpus(text(node_config, "machineType"), get(node_config, "guestAccelerators"))


def pods_per_gpu(node_config: object) -> float:
    """Return how many pods find room on each GPU of a node: one on each of its partitions, times
    those that take turns; 1 where that isn't known."""
    pods = 1.0
    for each in elements(node_config, "guestAccelerators"):
        kind, size = _attached(each).type, text(each, "gpuPartitionSize")
        known = PARTITIONS.get(kind, {}) if isinstance(kind, str) else {}
        pods *= known[size].count if isinstance(size, str) and size in known else 1
        clients = number(each, "gpuSharingConfig", "maxSharedClientsPerGpu")
        pods *= clients if isinstance(clients, float) else 1
    return pods


def _cluster(props: Props) -> Iterator[GpuDemand]:
    name = text(props, "name")
    cluster = name if isinstance(name, str) else None
    if flag(props, "enableAutopilot") is True:
        return
    if flag(props, "removeDefaultNodePool") is not True and is_mapping(get(props, "nodeConfig")):
        for gpus in node_gpus(get(props, "nodeConfig")):
            yield times(gpus, max_nodes(props), cluster)
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
            number(container, "resources", "limits", GPUS) for container in elements(containers)
        ]
        count: float | Absence = sum(value for value in each if isinstance(value, float))
        if accelerator is not MISSING and not count:
            count = UNKNOWN if UNKNOWN in each or containers is UNKNOWN else 1.0
        if count:
            kind = gpu_name(accelerator) if isinstance(accelerator, str) else accelerator
            gpus = Gpus(_CLOUD_RUN_DEFAULT if kind is MISSING else kind, count)
            yield times(gpus, max_instances(props))

    return demand


def _machines(
    path: tuple[str, ...], attached: str, count: float | Absence
) -> Callable[[Props], Iterator[GpuDemand]]:
    """Return the demand of so many machines as Compute Engine describes them."""

    def demand(props: Props) -> Iterator[GpuDemand]:
        machine = get(props, *path)
        for gpus in machine_gpus(text(machine, "machineType"), get(machine, attached)):
            yield times(gpus, count)

    return demand


def _reservation(props: Props) -> Iterator[GpuDemand]:
    named, specific = text(props, "name"), get(props, "specificReservation")
    name = _reservation_name(named) if isinstance(named, str) else None
    for demand in _reserved_machines(specific, number(specific, "count")):
        yield GpuDemand(demand.type, demand.count, name, cluster_limit=name is not None)


def _future_reservation(props: Props) -> Iterator[GpuDemand]:
    sku = get(props, "specificSkuProperties")
    yield from _reserved_machines(sku, number(sku, "totalCount"))
    reserved = entries(props, "aggregateReservation", "reservedResources")
    for each in reserved if isinstance(reserved, tuple) else (reserved,):
        if each is not MISSING:
            gpus = _attached(get(each, "accelerator"))
            yield times(gpus, 1.0)


def _reserved_machines(machines: object, count: float | Absence) -> Iterator[GpuDemand]:
    if machines is MISSING:
        return
    like = get(machines, "instanceProperties")
    if like is MISSING:
        # By a template, which says what they are.
        yield GpuDemand(UNKNOWN, UNKNOWN)
        return
    for gpus in machine_gpus(text(like, "machineType"), get(like, "guestAccelerators")):
        yield times(gpus, count)


def _tpu(node: object) -> Iterator[GpuDemand]:
    """Yield chips of a TPU VM: `v5p-8`, or a version with a topology such as 2x2x4."""
    named, topology = text(node, "acceleratorType"), text(node, "acceleratorConfig", "topology")
    version, _, size = named.partition("-") if isinstance(named, str) else ("", "", "")
    sizes, per_chip = [size], 2 if version in _BY_CORES else 1
    if isinstance(topology, str):
        version = str(text(node, "acceleratorConfig", "type")).lower().replace("_", "")
        sizes, per_chip = topology.split("x"), 1
    known = all(each.isdecimal() for each in sizes)
    kind = _TPU_VERSIONS.get(version, UNKNOWN)
    yield GpuDemand(kind, math.prod(map(int, sizes)) / per_chip if known else UNKNOWN)


def _queued_tpus(props: Props) -> Iterator[GpuDemand]:
    nodes = entries(props, "tpu", "nodeSpecs")
    for each in nodes if isinstance(nodes, tuple) else (nodes,):
        yield from _tpu(get(each, "node"))


def _dataproc(props: Props) -> Iterator[GpuDemand]:
    config = get(props, "clusterConfig")
    scales = get(config, "autoscalingConfig", "policyUri") is not MISSING
    for role in ("masterConfig", "workerConfig", "preemptibleWorkerConfig"):
        nodes = get(config, role)
        count = number(nodes, "numInstances")
        if scales and role != "masterConfig":
            count = UNKNOWN
        for gpus in machine_gpus(text(nodes, "machineType"), get(nodes, "accelerators")):
            yield times(gpus, count)


def _workbench(props: Props) -> Iterator[GpuDemand]:
    for gpus in machine_gpus(text(props, "gceSetup", "machineType"), MISSING):
        yield times(gpus, 1.0)
    for accelerator in elements(props, "gceSetup", "acceleratorConfigs"):
        kind, count = text(accelerator, "type"), number(accelerator, "coreCount")
        yield GpuDemand(gpu_name(kind) if isinstance(kind, str) else UNKNOWN, count)


def _specified(
    path: tuple[str, ...], count: tuple[str, ...] = ()
) -> Callable[[Props], Iterator[GpuDemand]]:
    """Return the demand of machines as Vertex AI specifies them; of one without a count."""

    def demand(props: Props) -> Iterator[GpuDemand]:
        for gpus in spec_gpus(get(props, *path, "machineSpec")):
            yield times(gpus, number(props, *count) if count else 1.0)

    return demand


def spec_gpus(machine: object) -> list[Gpus]:
    """Return GPUs of a machine as Vertex AI specifies it."""
    kind, count = text(machine, "acceleratorType"), number(machine, "acceleratorCount")
    if kind is MISSING or kind == "ACCELERATOR_TYPE_UNSPECIFIED":
        return machine_gpus(text(machine, "machineType"), MISSING)
    return [Gpus(gpu_name(kind) if isinstance(kind, str) else kind, count)]


def _persistent(props: Props) -> Iterator[GpuDemand]:
    pools = entries(props, "resourcePools")
    for pool in pools if isinstance(pools, tuple) else (pools,):
        scaled = number(pool, "autoscalingSpec", "maxReplicaCount")
        fixed = number(pool, "replicaCount")
        for gpus in spec_gpus(get(pool, "machineSpec")):
            yield times(gpus, fixed if scaled is MISSING else scaled)


_DEPLOYED: Final = ("deployConfig", "dedicatedResources")
_NOTEBOOK_RUN: Final = ("createNotebookExecutionJobRequest", "notebookExecutionJob")
_HANDLERS: Final[Mapping[str, Callable[[Props], Iterator[GpuDemand]]]] = {
    NODE_POOL: _node_pool,
    CLUSTER: _cluster,
    "gcp:cloudrunv2/service:Service": _cloud_run(("template",)),
    "gcp:cloudrunv2/workerPool:WorkerPool": _cloud_run(("template",)),
    "gcp:cloudrunv2/job:Job": _cloud_run(("template", "template")),
    "gcp:colab/notebookExecution:NotebookExecution": _specified(("customEnvironmentSpec",)),
    "gcp:colab/schedule:Schedule": _specified(
        (*_NOTEBOOK_RUN, "customEnvironmentSpec"), ("maxConcurrentRunCount",)
    ),
    "gcp:compute/futureReservation:FutureReservation": _future_reservation,
    "gcp:compute/instance:Instance": _machines((), "guestAccelerators", 1.0),
    "gcp:compute/reservation:Reservation": _reservation,
    "gcp:dataproc/cluster:Cluster": _dataproc,
    "gcp:tpu/v2QueuedResource:V2QueuedResource": _queued_tpus,
    "gcp:tpu/v2Vm:V2Vm": _tpu,
    "gcp:workbench/instance:Instance": _workbench,
    "gcp:vertex/aiEndpointWithModelGardenDeployment:AiEndpointWithModelGardenDeployment": (
        _specified(_DEPLOYED, (*_DEPLOYED, "maxReplicaCount"))
    ),
    "gcp:vertex/aiDeploymentResourcePool:AiDeploymentResourcePool": _specified(
        ("dedicatedResources",), ("dedicatedResources", "maxReplicaCount")
    ),
    "gcp:vertex/aiPersistentResource:AiPersistentResource": _persistent,
    "gcp:workstations/workstationConfig:WorkstationConfig": _machines(
        # Anybody who may use the configuration starts one, so their number is not known.
        ("host", "gceInstance"),
        "accelerators",
        UNKNOWN,
    ),
}
GPU_RESOURCES: Final = frozenset(_HANDLERS)

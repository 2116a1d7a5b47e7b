"""Compute Engine machine types: shape, GPUs, ways to buy them, and the zones that sell them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import cast

from catalog.conventions import GPUS as GPU_RESOURCE
from catalog.conventions import TPUS
from catalog.table import CatalogError, read, row, rows, table

CAPACITIES = ("on-demand", "spot", "flex-start", "reservation")


@dataclass(frozen=True)
class Gpu:
    """One type of GPU: memory as documented and as CUDA reports it, and how fast it is."""

    memory_gib: float
    usable_gib: float
    bandwidth_gbps: float
    bf16_tflops: float
    fp8_tflops: float
    confidence: str

    def part(self, partition: Partition) -> Gpu:
        """Return one of the partitions it is divided into, which works like a GPU."""
        return replace(
            self,
            memory_gib=partition.memory_gib,
            usable_gib=partition.usable_gib,
            bandwidth_gbps=self.bandwidth_gbps * partition.usable_gib / self.usable_gib,
            bf16_tflops=self.bf16_tflops * partition.compute,
            fp8_tflops=self.fp8_tflops * partition.compute,
        )


@dataclass(frozen=True)
class Partition:
    """A size that a GPU can be divided into: how many there are, and what each has of it."""

    count: int
    memory_gib: float
    usable_gib: float
    compute: float
    """Share of the tensor cores."""


@dataclass(frozen=True)
class MachineType:
    """One machine type. What it says of GPUs holds for the chips of TPUs too.

    `memory_gib` is the host's memory, `gpu_memory_gib` that of one GPU, both in GiB. `gpu_type`
    is GKE's accelerator name, empty with `gpu_count` 0 for a machine without GPUs. `confidence`
    tells how sure `capacities` and `zones` are: high, medium or low.
    """

    name: str
    series: str
    vcpus: int
    memory_gib: float
    gpu_type: str
    gpu_count: int
    gpu_memory_gib: float
    capacities: frozenset[str]
    boot_disk_type: str
    local_ssd_count: int
    topologies: tuple[str, ...]
    """How chips of TPUs may be arranged, that of one node first; empty for GPUs."""
    rdma_interfaces: int
    """Network interfaces with RDMA that GKE's managed DRANET hands to pods; 0 for none."""
    zones: tuple[str, ...]
    confidence: str

    @property
    def gpu(self) -> Gpu:
        """The type of its GPUs. Raises KeyError where it has none."""
        return GPUS[self.gpu_type]

    @property
    def is_tpu(self) -> bool:
        """Whether its accelerators are TPUs."""
        return bool(self.topologies)

    @property
    def resource(self) -> str:
        """What containers ask for to get its accelerators."""
        return TPUS if self.is_tpu else GPU_RESOURCE

    def nodes_of(self, topology: str) -> int:
        """Return how many of these machines the chips of a topology take together."""
        return max(prod(map(int, topology.split("x"))) // self.gpu_count, 1)

    @property
    def partitions(self) -> Mapping[str, Partition]:
        """What each of its GPUs can be divided into, by size; empty where it cannot."""
        return PARTITIONS.get(self.gpu_type, {})

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions with at least one zone that sells it."""
        return tuple(dict.fromkeys(zone.rpartition("-")[0] for zone in self.zones))

    def zones_in(self, region: str) -> tuple[str, ...]:
        """Return the zones of `region` that sell it; empty when none does."""
        return tuple(zone for zone in self.zones if zone.rpartition("-")[0] == region)


@dataclass(frozen=True)
class _Shape:
    series: str
    vcpus: int
    memory_gib: float
    gpu_type: str = ""
    gpu_count: int = 0
    local_ssd_count: int = 0
    rdma_interfaces: int = 0
    topologies: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Series:
    capacities: tuple[str, ...]
    boot_disk_type: str
    confidence: str


def _zones(letters: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(f"{region}-{letter}" for region, some in letters.items() for letter in some)


def _machine_types(
    document: Mapping[str, object], every_zone: Mapping[str, str]
) -> Mapping[str, MachineType]:
    series = table(document, "series")
    machines: dict[str, MachineType] = {}
    for name, columns in table(document, "machine_types").items():
        shape = row(_Shape, name, columns)
        sold = dict(series[shape.series])
        zones = sold.pop("zones")
        terms = row(_Series, shape.series, sold)
        if unknown := set(terms.capacities) - set(CAPACITIES):
            raise CatalogError(f"{shape.series}.capacities: unknown {sorted(unknown)}")
        machines[name] = MachineType(
            name=name,
            series=shape.series,
            vcpus=shape.vcpus,
            memory_gib=shape.memory_gib,
            gpu_type=shape.gpu_type,
            gpu_count=shape.gpu_count,
            gpu_memory_gib=GPUS[shape.gpu_type].memory_gib if shape.gpu_type else 0.0,
            capacities=frozenset(terms.capacities),
            boot_disk_type=terms.boot_disk_type,
            local_ssd_count=shape.local_ssd_count,
            rdma_interfaces=shape.rdma_interfaces,
            topologies=shape.topologies,
            zones=_zones(every_zone if zones == "all" else cast("Mapping[str, str]", zones)),
            confidence=terms.confidence,
        )
    return machines


_document = read("machines.yaml")
_letters = cast("Mapping[str, str]", _document["regions"])

GPUS: Mapping[str, Gpu] = rows(Gpu, _document, "gpus")
PARTITIONS: Mapping[str, Mapping[str, Partition]] = {
    gpu: rows(Partition, table(_document, "partitions"), gpu)
    for gpu in table(_document, "partitions")
}
AS_OF = dt.date.fromisoformat(str(_document["as_of"]))
REGIONS: Mapping[str, tuple[str, ...]] = {
    region: _zones({region: some}) for region, some in _letters.items()
}
MACHINE_TYPES: Mapping[str, MachineType] = _machine_types(_document, _letters)
GPU_MACHINE_TYPES: Mapping[str, MachineType] = {
    name: machine for name, machine in MACHINE_TYPES.items() if machine.gpu_count
}

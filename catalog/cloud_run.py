"""Cloud Run: which sizes an instance may have."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from catalog.table import read, rows


@dataclass(frozen=True)
class Cpus:
    """What an instance with so many vCPUs may have: memory in MiB, and the GPU it must have."""

    least_mib: int
    most_mib: int
    gpu: str = ""


@dataclass(frozen=True)
class Gpu:
    """A GPU and what it needs beside it: vCPUs and memory in MiB; its own memory in GiB, and the
    regions that have it."""

    least_cpu: int
    least_mib: int
    memory_gib: int
    regions: tuple[str, ...]


_document = read("cloud_run.yaml")

AS_OF = dt.date.fromisoformat(str(_document["as_of"]))
CPUS: Mapping[str, Cpus] = rows(Cpus, _document, "cpus")
GPUS: Mapping[str, Gpu] = rows(Gpu, _document, "gpus")


def sizes_for(cpu: str, gpu: str | None = None) -> tuple[int, int]:
    """Return least and most memory in MiB with `cpu` and `gpu`. Raises KeyError for unknown
    ones."""
    size = CPUS[cpu]
    least = size.least_mib if gpu is None else max(size.least_mib, GPUS[gpu].least_mib)
    return least, size.most_mib


def cpus_for(gpu: str | None) -> tuple[str, ...]:
    """Return the numbers of vCPUs an instance with `gpu` may have. Raises KeyError for an
    unknown one."""
    least = 0 if gpu is None else GPUS[gpu].least_cpu
    return tuple(cpu for cpu, size in CPUS.items() if int(cpu) >= least and size.gpu in ("", gpu))

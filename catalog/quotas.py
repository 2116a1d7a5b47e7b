"""Quota metrics of Compute Engine, by what counts against them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from catalog.table import read, rows


@dataclass(frozen=True)
class Quota:
    """The names of a metric: of what always runs, and of what may be taken away."""

    standard: str
    preemptible: str
    confidence: str

    def metric(self, *, preemptible: bool) -> str:
        """Return the name of the metric."""
        return self.preemptible if preemptible else self.standard


_document = read("quotas.yaml")

GPUS: Final[Mapping[str, Quota]] = rows(Quota, _document, "gpus")
DISKS: Final[Mapping[str, Quota]] = rows(Quota, _document, "disks")
_CPUS: Final[Mapping[str, Quota]] = rows(Quota, _document, "cpus")
_ALL_CPUS: Final = Quota("CPUS", "PREEMPTIBLE_CPUS", "medium")

LOCAL_SSD_GB: Final = 375
"""Of one local SSD. https://cloud.google.com/compute/docs/disks/local-ssd"""


def cpus(series: str) -> Quota:
    """Return the metric that the CPUs of a machine series count against."""
    return _CPUS.get(series, _ALL_CPUS)

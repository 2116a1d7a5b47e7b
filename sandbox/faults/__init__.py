"""Faults of the cloud: which there are, a plan of which befall which call, and how they are played.

The table is `sandbox/faults.yaml`.
"""

from sandbox.faults.known import Fault, Way, befalling, known
from sandbox.faults.plan import ALWAYS, FaultPlanError, Planned, read
from sandbox.faults.playing import Befallen, Call, Faults

__all__ = [
    "ALWAYS",
    "Befallen",
    "Call",
    "Fault",
    "FaultPlanError",
    "Faults",
    "Planned",
    "Way",
    "befalling",
    "known",
    "read",
]

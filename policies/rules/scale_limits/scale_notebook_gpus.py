"""What one person works on takes few GPUs."""

from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NumberLimit
from policies.shared.rule import ResourceRule
from resources.gpus import GpuDemand, Gpus, gpu_demand, machine_gpus
from resources.properties import Absence, get, show, text
from resources.resource import Resource
from resources.templates import NOTEBOOK, template_gpus

# Machines that somebody keeps for as long as he likes, each for one person.
_WORKBENCH: Final = "gcp:workbench/instance:Instance"
_WORKSTATION: Final = "gcp:workstations/workstationConfig:WorkstationConfig"


def _gpus(resource: Resource) -> Sequence[Gpus | GpuDemand]:
    """Return GPUs of one machine."""
    if resource.type == NOTEBOOK:
        return template_gpus(resource)
    if resource.type == _WORKBENCH:
        return gpu_demand(resource)
    host = get(resource.props, "host", "gceInstance")
    return machine_gpus(text(host, "machineType"), get(host, "accelerators"))


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    cap = limits.number("maxGpus")
    for gpus in _gpus(resource):
        if isinstance(gpus.count, Absence):
            yield f"its number of GPUs is {gpus.count.value}, allowed {show(cap)}"
        elif gpus.count > cap:
            yield f"has {show(gpus.count)} {show(gpus.type)} GPUs, allowed {show(cap)}"


RULE: Final = ResourceRule(
    id="scale-notebook-gpus",
    display_name="GPUs of notebooks are few",
    description="One notebook or workstation has no more GPUs than the cap.",
    why="Nobody else gets what stands idle between two cells, and it is billed day and night.",
    remediation="take a smaller machine, or run what needs more as a job.",
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/vertex-ai/docs/workbench/instances/create",
    limits=(NumberLimit("maxGpus", "Most GPUs of one notebook or workstation", default=2),),
    applies=lambda resource_type: resource_type in (NOTEBOOK, _WORKBENCH, _WORKSTATION),
    check=_check,
)

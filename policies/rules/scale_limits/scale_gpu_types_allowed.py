"""Only the GPU types of the environment are used."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NamesLimit
from policies.shared.rule import ResourceRule
from resources.gpus import GPU_RESOURCES, GPU_TYPES, gpu_demand
from resources.properties import Absence, show
from resources.resource import Resource
from resources.templates import TEMPLATES, template_gpus


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    allowed = limits.names("gpuTypes")
    found = template_gpus(resource) if resource.type in TEMPLATES else gpu_demand(resource)
    for gpus in found:
        if isinstance(gpus.type, Absence):
            yield f"its GPU type is not known, allowed: {', '.join(allowed)}"
        elif gpus.type not in allowed:
            yield f"uses the GPU type {show(gpus.type)}, allowed: {', '.join(allowed)}"


RULE: Final = ResourceRule(
    id="scale-gpu-types-allowed",
    display_name="GPU types are allowed ones",
    description="Machines and accelerators use only the GPU types allowed in this environment.",
    why="One machine of a large GPU type can cost more in a day than a small one in a month.",
    remediation=(
        "choose a machine type with an allowed GPU, or allow the type in the policy config."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/compute/docs/gpus",
    limits=(NamesLimit("gpuTypes", "GPU types allowed, as GKE names them", GPU_TYPES),),
    applies=lambda resource_type: resource_type in GPU_RESOURCES or resource_type in TEMPLATES,
    check=_check,
)

"""A Cloud Run container with a GPU has the CPU and memory it needs."""

from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from catalog.cloud_run import GPUS as KNOWN
from catalog.conventions import GPUS
from policies.shared.limits import Limits
from policies.shared.rule import ResourceRule
from resources.gpus import gpu_name
from resources.properties import MISSING, Absence, entries, get, show, text
from resources.quantities import quantity
from resources.resource import Resource

_GIB: Final = 2.0**30
_TEMPLATES: Final[Mapping[str, tuple[str, ...]]] = {
    "gcp:cloudrunv2/job:Job": ("template", "template"),
    "gcp:cloudrunv2/service:Service": ("template",),
    "gcp:cloudrunv2/workerPool:WorkerPool": ("template",),
}


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    template = _TEMPLATES[resource.type]
    accelerator = text(resource.props, *template, "nodeSelector", "accelerator")
    kind = gpu_name(accelerator) if isinstance(accelerator, str) else "nvidia-l4"
    known = KNOWN.get(kind)
    cpus, memory = (known.least_cpu, known.least_mib) if known else (0, 0)
    if known is None and isinstance(accelerator, str):
        yield f"uses the GPU type {show(kind)}, known: {', '.join(KNOWN)}"
    containers = entries(resource.props, *template, "containers")
    for index, container in enumerate(containers if isinstance(containers, tuple) else ()):
        limits = get(container, "resources", "limits")
        gpus = quantity(limits, GPUS)
        if gpus is MISSING or gpus == 0:
            continue
        if gpus != 1:
            yield f"containers[{index}] must have one GPU, a plain number"
        for name, least, unit in (("cpu", cpus, 1.0), ("memory", memory / 1024, _GIB)):
            found = quantity(limits, name)
            if isinstance(found, Absence):
                yield f"the {name} of containers[{index}] is {found.value}, needed {show(least)}"
            elif found < least * unit:
                yield f"the {name} of containers[{index}] is too small, needed {show(least)}"


RULE: Final = ResourceRule(
    id="scale-cloudrun-gpu",
    display_name="Cloud Run GPUs have enough beside them",
    description=(
        "A Cloud Run container with a GPU asks for one GPU and for the CPU and memory the GPU "
        "type needs."
    ),
    why="The service is refused, or pays for a GPU that waits for its CPU.",
    remediation="set resources.limits to one nvidia.com/gpu and at least 4 CPU and 16Gi for an L4.",
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/run/docs/configuring/services/gpu",
    applies=lambda resource_type: resource_type in _TEMPLATES,
    check=_check,
)

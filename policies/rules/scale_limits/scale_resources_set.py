"""Every container says what it needs and what it may take."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.pods import containers, makes_pods
from resources.properties import MISSING, UNKNOWN, Absence, get
from resources.quantities import accelerators
from resources.resource import Resource

# A request left out is taken from the limit. CPU limits are left open on purpose: they throttle.
_NEEDED: Final = (
    ("cpu request", ("requests", "cpu"), ("limits", "cpu")),
    ("memory request", ("requests", "memory"), ("limits", "memory")),
    ("memory limit", ("limits", "memory"), ("limits", "memory")),
)


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    for where, container in containers(resource.type, resource.props):
        if isinstance(container, Absence):
            yield f"{where} is {container.value}, so its resources cannot be checked"
            continue
        for what, first, second in _NEEDED:
            found = get(container, "resources", *first)
            if found is MISSING:
                found = get(container, "resources", *second)
            if isinstance(found, Absence):
                yield f"the {what} of {where} is {found.value}"
        gpus = accelerators(container)
        if gpus is UNKNOWN or (isinstance(gpus, float) and not gpus.is_integer()):
            yield f"the GPU limit of {where} is not a known whole number"


RULE: Final = ResourceRule(
    id="scale-resources-set",
    display_name="Containers state their resources",
    description="Every container requests CPU and memory, limits memory, and asks for whole GPUs.",
    why=(
        "Without requests the autoscaler cannot size nodes; without a memory limit one pod can "
        "starve all on its node."
    ),
    remediation=(
        "set resources.requests.cpu, resources.requests.memory and resources.limits.memory."
    ),
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/",
    references=(
        Reference("checkov", "CKV_K8S_10"),
        Reference("checkov", "CKV_K8S_12"),
        Reference("checkov", "CKV_K8S_13"),
        Reference("trivy", "KSV-0015"),
        Reference("trivy", "KSV-0016"),
    ),
    applies=makes_pods,
    check=_check,
)

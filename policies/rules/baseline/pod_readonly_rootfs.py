"""A container cannot change its own files, unless it is allowed to by name."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.expected import Expected, unmet
from policies.shared.limits import Limits, NamesLimit
from policies.shared.rule import Reference, ResourceRule
from resources.kubernetes import is_patch
from resources.pods import changes_pods, containers
from resources.properties import text
from resources.resource import Resource

_READ_ONLY: Final = "securityContext.readOnlyRootFilesystem"


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    writable = limits.names("writableContainers")
    expected = (Expected(_READ_ONLY, (True,), unset=is_patch(resource.type)),)
    for where, container in containers(resource.type, resource.props):
        if text(container, "name") not in writable:
            for finding in unmet(container, expected):
                yield f"{where}: {finding}"


RULE: Final = ResourceRule(
    id="pod-readonly-rootfs",
    display_name="Container files are read-only",
    description=(
        "Containers have a read-only root file system, unless they are allowed to write by name."
    ),
    why="Whoever breaks in could leave tools behind and change the program.",
    remediation=(
        "set readOnlyRootFilesystem and mount emptyDir volumes where the program writes; or name "
        "the container in writableContainers."
    ),
    severity=Severity.LOW,
    level=EnforcementLevel.MANDATORY,
    url="https://kubernetes.io/docs/tasks/configure-pod-container/security-context/",
    references=(
        Reference("checkov", "CKV_K8S_22"),
        Reference("trivy", "KSV-0014"),
    ),
    limits=(
        NamesLimit(
            "writableContainers",
            "Names of containers that may write their files",
            default=("vllm",),
        ),
    ),
    applies=changes_pods,
    check=_check,
)

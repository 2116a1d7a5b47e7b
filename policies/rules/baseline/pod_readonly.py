"""A container cannot change its own files."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import Severity

from policies.rules.config import Limits
from policies.rules.expected import Expected, unmet
from policies.rules.pods import containers, makes_pods
from policies.rules.rule import Reference, Resource, ResourceRule

_READ_ONLY: Final = (Expected("securityContext.readOnlyRootFilesystem", (True,)),)


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    for where, container in containers(resource.type, resource.props):
        for finding in unmet(container, _READ_ONLY):
            yield f"{where}: {finding}"


RULE: Final = ResourceRule(
    id="pod-readonly-rootfs",
    display_name="Container files are read-only",
    description="Containers have a read-only root file system.",
    why="Whoever breaks in could leave tools behind and change the program.",
    remediation="set readOnlyRootFilesystem and mount emptyDir volumes where the program writes.",
    severity=Severity.LOW,
    url="https://kubernetes.io/docs/tasks/configure-pod-container/security-context/",
    references=(
        Reference("checkov", "CKV_K8S_22"),
        Reference("trivy", "KSV-0014"),
    ),
    applies=makes_pods,
    check=_check,
)

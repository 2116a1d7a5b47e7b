"""Containers run without root and without ways to get it."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import Severity

from policies.rules.config import Limits
from policies.rules.peek import MISSING, UNKNOWN, entries, flag, peek
from policies.rules.pods import makes_pods, pod_specs
from policies.rules.rule import Reference, Resource, ResourceRule

_SECCOMP: Final = ("RuntimeDefault", "Localhost")


def _container(where: str, container: object, spec: object) -> Iterator[str]:
    def setting(*path: str) -> object:
        own = peek(container, "securityContext", *path)
        return peek(spec, "securityContext", *path) if own is MISSING else own

    if setting("runAsNonRoot") is not True:
        yield f"{where} may run as root"
    if flag(container, "securityContext", "allowPrivilegeEscalation") is not False:
        yield f"{where} may gain privileges"
    dropped = entries(container, "securityContext", "capabilities", "drop")
    if not isinstance(dropped, tuple) or "ALL" not in dropped:
        yield f"{where} does not drop all capabilities"
    if setting("seccompProfile", "type") not in _SECCOMP:
        yield f"{where} has no seccomp profile"


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    specs = tuple(pod_specs(resource.type, resource.props))
    # Where a kind has two templates, the containers of each are told from their own spec.
    for spec in specs:
        for role in ("initContainers", "containers"):
            found = entries(spec, role)
            if found is UNKNOWN:
                yield f"{role} are not known during preview"
            for index, container in enumerate(found if isinstance(found, tuple) else ()):
                yield from _container(f"{role}[{index}]", container, spec)


RULE: Final = ResourceRule(
    id="pod-restricted",
    display_name="Pods are restricted",
    description=(
        "Pods follow the Restricted profile: not root, no escalation, no capabilities, the "
        "default seccomp profile."
    ),
    why="Most ways out of a container start from root or from a rare system call.",
    remediation=(
        "set runAsNonRoot, allowPrivilegeEscalation false, capabilities.drop ALL and "
        "seccompProfile RuntimeDefault."
    ),
    severity=Severity.HIGH,
    url="https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted",
    references=(
        Reference("checkov", "CKV_K8S_20"),
        Reference("checkov", "CKV_K8S_23"),
        Reference("checkov", "CKV_K8S_28"),
        Reference("checkov", "CKV_K8S_29"),
        Reference("checkov", "CKV_K8S_30"),
        Reference("checkov", "CKV_K8S_31"),
        Reference("checkov", "CKV_K8S_37"),
        Reference("trivy", "KSV-0001"),
        Reference("trivy", "KSV-0003"),
        Reference("trivy", "KSV-0012"),
        Reference("trivy", "KSV-0030"),
    ),
    applies=makes_pods,
    check=_check,
)

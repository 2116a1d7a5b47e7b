"""No pod reaches the node it runs on."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import Severity

from policies.rules.config import Limits
from policies.rules.peek import MISSING, UNKNOWN, entries, flag, peek
from policies.rules.pods import containers, makes_pods, pod_specs
from policies.rules.rule import Reference, Resource, ResourceRule

_HOST: Final = ("hostPID", "hostIPC", "hostNetwork")
# What the Baseline profile lets a container add.
_HARMLESS: Final = frozenset(
    {
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    }
)


def _kind(token: str) -> str:
    return token.removesuffix("Patch")


def _pod(spec: object) -> Iterator[str]:
    for name in _HOST:
        if flag(spec, name) in (True, UNKNOWN):
            yield f"{name} is not false"
    volumes = entries(spec, "volumes")
    for index, volume in enumerate(volumes if isinstance(volumes, tuple) else ()):
        if peek(volume, "hostPath") is not MISSING:
            yield f"volumes[{index}] is a hostPath"


def _container(where: str, container: object) -> Iterator[str]:
    if flag(container, "securityContext", "privileged") in (True, UNKNOWN):
        yield f"{where} is privileged"
    added = entries(container, "securityContext", "capabilities", "add")
    if added is UNKNOWN or (isinstance(added, tuple) and not set(added) <= _HARMLESS):
        yield f"{where} adds capabilities beyond the Baseline profile"
    ports = entries(container, "ports")
    for port in ports if isinstance(ports, tuple) else ():
        if peek(port, "hostPort") not in (MISSING, 0):
            yield f"{where} takes a port of the node"


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    token = _kind(resource.type)
    for spec in pod_specs(token, resource.props):
        yield from _pod(spec)
    for where, container in containers(token, resource.props):
        if container is UNKNOWN:
            yield f"{where} is not known during preview"
        else:
            yield from _container(where, container)


RULE: Final = ResourceRule(
    id="pod-no-privileged",
    display_name="Pods stay inside",
    description=(
        "No pod is privileged, shares the host's namespaces or files, or adds dangerous "
        "capabilities."
    ),
    why="From such a pod, whoever breaks in owns the node, and every pod and account on it.",
    remediation=(
        "remove privileged, hostPID, hostIPC, hostNetwork, hostPath and added capabilities; "
        "GPUs need none of them."
    ),
    severity=Severity.CRITICAL,
    url="https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline",
    references=(
        Reference("CIS GKE", "4.2.1"),
        Reference("checkov", "CKV_K8S_16"),
        Reference("checkov", "CKV_K8S_17"),
        Reference("checkov", "CKV_K8S_18"),
        Reference("checkov", "CKV_K8S_19"),
        Reference("checkov", "CKV_K8S_27"),
        Reference("checkov", "CKV_K8S_39"),
        Reference("trivy", "KSV-0017"),
        Reference("trivy", "KSV-0023"),
    ),
    applies=lambda resource_type: makes_pods(_kind(resource_type)),
    check=_check,
)

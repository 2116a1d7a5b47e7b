"""Containers run without root and without ways to get it."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.kubernetes import is_patch
from resources.pods import changes_pods, containers_of, pod_specs
from resources.properties import MISSING, UNKNOWN, entries, get, is_mapping
from resources.resource import Resource

_SECCOMP: Final = ("RuntimeDefault", "Localhost")
_MAY_ADD: Final = ("NET_BIND_SERVICE",)


# What the Restricted profile lets a pod mount.
_VOLUMES: Final = frozenset(
    {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "name",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
)


def _pod(spec: object) -> Iterator[str]:
    volumes = entries(spec, "volumes")
    for index, volume in enumerate(volumes if isinstance(volumes, tuple) else ()):
        kinds = set(volume) - _VOLUMES if is_mapping(volume) else ()
        if any(get(volume, kind) is not MISSING for kind in kinds):
            yield f"volumes[{index}] is of a kind that pods may not mount"


def _container(where: str, container: object, spec: object, *, patch: bool) -> Iterator[str]:
    def setting(*path: str) -> object:
        own = get(container, "securityContext", *path)
        return get(spec, "securityContext", *path) if own is MISSING else own

    def breaks(value: object, *allowed: object) -> bool:
        # What a patch leaves out stays as it is.
        return value not in allowed and not (patch and value is MISSING)

    if breaks(setting("runAsNonRoot"), True) or setting("runAsUser") in (0, "0"):
        yield f"{where} may run as root"
    if breaks(get(container, "securityContext", "allowPrivilegeEscalation"), False):
        yield f"{where} may gain privileges"
    capabilities = get(container, "securityContext", "capabilities")
    dropped, added = entries(capabilities, "drop"), entries(capabilities, "add")
    drops_all = isinstance(dropped, tuple) and "ALL" in dropped
    adds = added is UNKNOWN or (isinstance(added, tuple) and any(e not in _MAY_ADD for e in added))
    if adds or not (drops_all or (patch and dropped is MISSING)):
        yield f"{where} does not drop all capabilities"
    if breaks(setting("seccompProfile", "type"), *_SECCOMP):
        yield f"{where} has no seccomp profile"


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    patch = is_patch(resource.type)
    # Where a kind has two templates, the containers of each are told from their own spec.
    for spec in pod_specs(resource.type, resource.props):
        yield from _pod(spec)
        for where, container in containers_of(spec):
            if container is UNKNOWN:
                yield f"{where} is not known during preview"
            else:
                yield from _container(where, container, spec, patch=patch)


RULE: Final = ResourceRule(
    id="pod-restricted",
    display_name="Pods are restricted",
    description=(
        "Pods follow the Restricted profile: not root, no escalation, no capabilities, the "
        "default seccomp profile, and volumes of the kinds that it lists."
    ),
    why="Most ways out of a container start from root or from a rare system call.",
    remediation=(
        "set runAsNonRoot, allowPrivilegeEscalation false, capabilities.drop ALL and "
        "seccompProfile RuntimeDefault."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
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
    applies=changes_pods,
    check=_check,
)

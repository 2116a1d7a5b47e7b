"""No pod reaches the node it runs on."""

import re
from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.kubernetes import kind_of, objects
from resources.pods import CHARTS, changes_pods, containers, host_access, pod_specs, pod_templates
from resources.properties import MISSING, UNKNOWN, entries, flag, get, is_mapping, text
from resources.resource import Resource

_HOST: Final = ("hostPID", "hostIPC", "hostNetwork")
# What the Baseline profile lets a container add.
_HARMLESS: Final = (
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
)


# The kernel settings that belong to a pod alone.
_SAFE_SYSCTLS: Final = frozenset(
    {
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.tcp_wmem",
    }
)


_SELINUX: Final = ("container_engine_t", "container_init_t", "container_kvm_t", "container_t")
_PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")
_HOOKS: Final = ("postStart", "preStop")
# How profiles were set before there were fields for them.
_APPARMOR: Final = "container.apparmor.security.beta.kubernetes.io/"
_SECCOMP: Final = (
    "container.seccomp.security.alpha.kubernetes.io/",
    "seccomp.security.alpha.kubernetes.io/pod",
)
_KEPT: Final = re.compile(r"runtime/default|docker/default|localhost/.+")
# Volumes that are files of a node.
_OF_NODE: Final = ("hostPath", "flexVolume")
_VOLUME: Final = "core/PersistentVolume"
# Volumes of a server or a block device that the object itself names.
_SERVED: Final = ("cephfs", "fc", "glusterfs", "iscsi", "nfs", "quobyte", "rbd", "scaleIO")


def _loosened(security: object) -> Iterator[str]:
    """Yield what a security context of a pod or of a container takes away from the isolation."""
    if flag(security, "windowsOptions", "hostProcess") in (True, UNKNOWN):
        yield "runs as a process of the node"
    for profile in ("seccompProfile", "appArmorProfile"):
        if text(security, profile, "type") == "Unconfined":
            yield f"{profile} is Unconfined"
    label = get(security, "seLinuxOptions")
    if text(label, "type") not in (MISSING, "", *_SELINUX) or any(
        text(label, each) not in (MISSING, "") for each in ("user", "role")
    ):
        yield "takes an SELinux label of its own"


def _annotations(template: object) -> Iterator[str]:
    annotations = get(template, "metadata", "annotations")
    for name in list(annotations) if is_mapping(annotations) else ():
        value = text(annotations, name)
        if name.startswith((_APPARMOR, *_SECCOMP)) and not (
            isinstance(value, str) and _KEPT.fullmatch(value)
        ):
            yield "an annotation leaves a container unconfined"


def _addresses(container: object) -> Iterator[object]:
    """Yield where the node's kubelet calls for a probe or a hook of a container."""
    for handler in (
        *(get(container, each) for each in _PROBES),
        *(get(container, "lifecycle", each) for each in _HOOKS),
    ):
        for way in ("httpGet", "tcpSocket"):
            yield get(handler, way, "host")


def _pod(spec: object) -> Iterator[str]:
    for name in _HOST:
        if flag(spec, name) in (True, UNKNOWN):
            yield f"{name} is not false"
    volumes = entries(spec, "volumes")
    if volumes is UNKNOWN:
        yield "volumes are not known during preview"
    for index, volume in enumerate(volumes if isinstance(volumes, tuple) else ()):
        for kind in _OF_NODE:
            if get(volume, kind) is not MISSING:
                yield f"volumes[{index}] is a {kind}"
                break
    security = get(spec, "securityContext")
    yield from _loosened(security)
    sysctls = entries(security, "sysctls")
    for index, sysctl in enumerate(sysctls if isinstance(sysctls, tuple) else ()):
        if text(sysctl, "name") not in _SAFE_SYSCTLS:
            yield f"sysctls[{index}] changes the kernel of the node"


def _container(where: str, container: object) -> Iterator[str]:
    if flag(container, "securityContext", "privileged") in (True, UNKNOWN):
        yield f"{where} is privileged"
    added = entries(container, "securityContext", "capabilities", "add")
    if added is UNKNOWN or (isinstance(added, tuple) and any(e not in _HARMLESS for e in added)):
        yield f"{where} adds capabilities beyond the Baseline profile"
    security = get(container, "securityContext")
    yield from (f"{where}: {finding}" for finding in _loosened(security))
    if text(security, "procMount") not in (MISSING, "Default"):
        yield f"{where} sees more of /proc than its own"
    ports = entries(container, "ports")
    for port in ports if isinstance(ports, tuple) else ():
        if get(port, "hostPort") not in (MISSING, 0):
            yield f"{where} takes a port of the node"
    # An unknown probe or hook is told by the rules that need it.
    if any(isinstance(host, str) and host for host in _addresses(container)):
        yield f"{where} lets the node call another host"


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    if kind_of(resource.type) == _VOLUME:
        for each in objects(resource.type, resource.props):
            if any(get(each, "spec", kind) is not MISSING for kind in _SERVED):
                yield "a volume of the cluster is served by a host, past the storage of Google"
            for kind in (*_OF_NODE, "local"):
                if get(each, "spec", kind) is not MISSING:
                    yield f"a volume of the cluster is a {kind}"
                    break
        return
    for name in sorted(set(host_access(resource.type, resource.props))):
        yield f"{name} takes away from the isolation of its pods"
    for template in pod_templates(resource.type, resource.props):
        yield from _annotations(template)
    for spec in pod_specs(resource.type, resource.props):
        # What is not known is told once, by its containers.
        if spec is not UNKNOWN:
            yield from _pod(spec)
    for where, container in containers(resource.type, resource.props):
        if container is UNKNOWN:
            yield f"{where} is not known during preview"
        else:
            yield from _container(where, container)


RULE: Final = ResourceRule(
    id="pod-no-privileged",
    display_name="Pods stay inside",
    description=(
        "Pods keep to the Baseline profile: none is privileged, shares the host's namespaces, "
        "ports or files, also by a volume of the cluster, adds capabilities, or loosens AppArmor, "
        "SELinux, seccomp or the kernel's settings."
    ),
    why="From such a pod, whoever breaks in owns the node, and every pod and account on it.",
    remediation=(
        "remove privileged, hostPID, hostIPC, hostNetwork, hostPath and added capabilities; "
        "GPUs need none of them."
    ),
    severity=Severity.CRITICAL,
    level=EnforcementLevel.MANDATORY,
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
    applies=lambda token: changes_pods(token) or kind_of(token) == _VOLUME or token in CHARTS,
    check=_check,
)

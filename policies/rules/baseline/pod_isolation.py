"""Pods keep apart from each other, from the cluster's own parts and from the root group."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NamesLimit
from policies.shared.multipliers import CLAIMS
from policies.shared.rule import Reference, ResourceRule
from resources.kubernetes import is_patch, kind_of, objects
from resources.pods import changes_pods, containers_of, pod_specs
from resources.properties import (
    MISSING,
    UNKNOWN,
    elements,
    entries,
    flag,
    get,
    is_mapping,
    number,
    text,
)
from resources.resource import Resource

_SECURITY: Final = "securityContext"
_GROUPS: Final = ("runAsGroup", "fsGroup")
# Where the cluster's own parts run, and whatever names no namespace.
_SYSTEM: Final = re.compile(r"default|kube-.+|gke-.+|gmp-.+|.+-system")
# The requests of a claim of devices.
_REQUESTS: Final = ("devices", "requests")
# Where the driver of volumes stands, by kind.
_DRIVER: Final[Mapping[str, tuple[str, ...]]] = {
    "core/PersistentVolume": ("spec", "csi", "driver"),
    "snapshot.storage.k8s.io/VolumeSnapshotClass": ("driver",),
    "snapshot.storage.k8s.io/VolumeSnapshotContent": ("spec", "driver"),
    "storage.k8s.io/CSIDriver": ("metadata", "name"),
    "storage.k8s.io/StorageClass": ("provisioner",),
}
_VOLUMES: Final = ("core/PersistentVolume", "core/PersistentVolumeClaim")
_RAW: Final = "gives a raw disk, past the file system and its permissions"
# Google's drivers: https://cloud.google.com/kubernetes-engine/docs/concepts/storage-overview
_DRIVERS: Final = (
    "filestore.csi.storage.gke.io",
    "gcsfuse.csi.storage.gke.io",
    "kubernetes.io/gce-pd",
    "kubernetes.io/no-provisioner",
    "lustre.csi.storage.gke.io",
    "parallelstore.csi.storage.gke.io",
    "pd.csi.storage.gke.io",
    "secrets-store-gke.csi.k8s.io",
    "secrets-store.csi.k8s.io",
)


def _pod(spec: object, limits: Limits) -> Iterator[str]:
    yield from _place(spec)
    if flag(spec, "shareProcessNamespace") in (True, UNKNOWN):
        yield "its containers see each other's processes, files and variables"
    for name in _GROUPS:
        if number(spec, _SECURITY, name) == 0:
            yield f"{name} is the root group"
    if any(each in (0, "0") for each in elements(spec, _SECURITY, "supplementalGroups")):
        yield "supplementalGroups has the root group"
    for index, volume in enumerate(elements(spec, "volumes")):
        driver = text(volume, "csi", "driver")
        if is_mapping(get(volume, "csi")) and driver not in (
            UNKNOWN,
            *limits.names("csiDrivers"),
        ):
            yield f"volumes[{index}] is made by a driver that the environment does not name"
    for where, container in containers_of(spec):
        if number(container, _SECURITY, "runAsGroup") == 0:
            yield f"{where}: runAsGroup is the root group"
        if entries(container, "volumeDevices") not in (MISSING, ()):
            yield f"{where}: volumeDevices {_RAW}"


def _place(spec: object) -> Iterator[str]:
    """Yield what is wrong with where a pod runs, and as whom."""
    for each in elements(spec, "tolerations"):
        if is_mapping(each) and text(each, "key") in (MISSING, ""):
            yield "tolerates every taint, so that it runs on nodes that are not for it"
    if get(spec, "nodeName") not in (MISSING, "", UNKNOWN):
        yield "nodeName goes past the scheduler and its taints"
    mounts = flag(spec, "automountServiceAccountToken") is True
    if mounts and text(spec, "serviceAccountName") in (MISSING, "", "default"):
        yield "mounts the token of the default account, which is everybody's"


def _claim(claim: object) -> Iterator[str]:
    for place in (("spec",), ("spec", "spec")):
        requests = entries(claim, *place, *_REQUESTS)
        for request in requests if isinstance(requests, tuple) else ():
            if any(
                flag(each, "adminAccess") is True for each in (request, get(request, "exactly"))
            ):
                yield "takes devices that other pods hold"


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    kind, patch = kind_of(resource.type), is_patch(resource.type)
    for each in objects(resource.type, resource.props):
        if kind in CLAIMS:
            yield from _claim(each)
            continue
        if kind in _VOLUMES and text(each, "spec", "volumeMode") == "Block":
            yield f"spec.volumeMode {_RAW}"
        if kind in _DRIVER:
            if text(each, *_DRIVER[kind]) not in (MISSING, UNKNOWN, *limits.names("csiDrivers")):
                yield "is of a driver that the environment does not name"
            continue
        namespace = text(each, "metadata", "namespace")
        system = isinstance(namespace, str) and _SYSTEM.fullmatch(namespace)
        # A patch changes what is there already.
        if system and not patch and namespace not in limits.names("systemNamespaces"):
            yield "runs in the default namespace, or one of the cluster's own parts"
    for spec in pod_specs(resource.type, resource.props):
        if spec is not UNKNOWN:
            yield from _pod(spec, limits)


RULE: Final = ResourceRule(
    id="pod-isolation",
    display_name="Pods keep apart",
    description=(
        "No pod shares processes, is in the root group, mounts a raw disk or by a driver that "
        "isn't named, tolerates every taint, chooses its node, holds devices of others, mounts the "
        "token of the default account, or runs in the default namespace or among the cluster's own "
        "parts."
    ),
    why="Each lets a pod that is broken into reach what other pods hold.",
    remediation=(
        "remove the property; give a group other than 0, the key of the one taint, and a namespace "
        "of your own."
    ),
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://kubernetes.io/docs/concepts/storage/ephemeral-volumes/#csi-driver-restrictions",
    references=(
        Reference("checkov", "CKV_K8S_21"),
        Reference("trivy", "KSV-0037"),
        Reference("trivy", "KSV-0116"),
    ),
    limits=(
        NamesLimit("csiDrivers", "Drivers that volumes may be of", default=_DRIVERS),
        NamesLimit("systemNamespaces", "Namespaces of the system that pods may run in", default=()),
    ),
    applies=lambda token: changes_pods(token) or kind_of(token) in (*CLAIMS, *_DRIVER, *_VOLUMES),
    check=_check,
)

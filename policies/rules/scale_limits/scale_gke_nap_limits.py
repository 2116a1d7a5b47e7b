"""Node auto-provisioning stays within limits."""

import re
from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NumberLimit
from policies.shared.rule import ResourceRule
from resources.gpus import CLUSTER
from resources.kubernetes import kind_of, objects
from resources.properties import (
    MISSING,
    Absence,
    entries,
    flag,
    get,
    is_mapping,
    number,
    show,
    text,
)
from resources.quantities import quantity
from resources.resource import Resource

_CAPS: Final = {"cpu": "maxCpus", "memory": "maxMemoryGib"}
_CLASS: Final = "kubernetes:cloud.google.com/v1:ComputeClass"
# https://karpenter.sh/docs/concepts/nodepools/#speclimits
_KARPENTER: Final = "karpenter.sh/NodePool"
_GPU: Final = re.compile(r".*/(gpu|tpu)")
_GIB: Final = 2**30


def _karpenter(pool: object, limits: Limits) -> Iterator[str]:
    found = get(pool, "spec", "limits")
    names = [*found] if is_mapping(found) else []
    for kind in _CAPS:
        if kind not in names:
            yield f"its auto-provisioning has no limit on {kind}"
    for kind in names:
        if kind not in _CAPS and not _GPU.fullmatch(kind):
            continue
        cap, most = limits.number(_CAPS.get(kind, "maxGpus")), quantity(found, kind)
        what = kind if kind in _CAPS else show(kind)
        if isinstance(most, Absence):
            yield f"the maximum of its auto-provisioning limit on {what} is {most.value}"
        elif most / (_GIB if kind == "memory" else 1) > cap:
            yield f"auto-provisions beyond {show(cap)} of {what}"


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    if kind_of(resource.type) == _KARPENTER:
        for pool in objects(resource.type, resource.props):
            yield from _karpenter(pool, limits)
        return
    if resource.type == _CLASS:
        made = flag(resource.props, "spec", "nodePoolAutoCreation", "enabled")
        if made not in (MISSING, False):
            yield "makes node pools by itself, which no limit of this stack bounds"
        return
    switches = [
        flag(resource.props, "clusterAutoscaling", name)
        for name in ("enabled", "defaultComputeClassEnabled")
    ]
    autopilot = flag(resource.props, "enableAutopilot") is True
    if autopilot or all(switch in (MISSING, False) for switch in switches):
        return
    found = entries(resource.props, "clusterAutoscaling", "resourceLimits")
    if isinstance(found, Absence):
        yield f"its auto-provisioning limits are {found.value}"
        return
    kinds = [text(limit, "resourceType") for limit in found]
    for kind in _CAPS:
        if kind not in kinds:
            yield f"its auto-provisioning has no limit on {kind}"
    for kind, limit in zip(kinds, found, strict=True):
        name = _CAPS.get(kind, "maxGpus") if isinstance(kind, str) else "maxGpus"
        cap, most = limits.number(name), number(limit, "maximum")
        what = kind if kind in _CAPS else show(kind)
        if isinstance(most, Absence):
            yield f"the maximum of its auto-provisioning limit on {what} is {most.value}"
        elif most > cap:
            yield f"auto-provisions up to {show(most)} of {what}, allowed {show(cap)}"


RULE: Final = ResourceRule(
    id="scale-gke-nap-limits",
    display_name="Node auto-provisioning is limited",
    description=(
        "A cluster with node auto-provisioning limits CPU, memory and every GPU type within the "
        "caps, as does a NodePool of Karpenter, and no ComputeClass makes node pools."
    ),
    why="Auto-provisioning makes node pools by itself that no other limit of this stack bounds.",
    remediation=(
        "set clusterAutoscaling.resourceLimits[].maximum for cpu, memory and each GPU type, and "
        "let a ComputeClass choose among node pools that are there."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/kubernetes-engine/docs/how-to/node-auto-provisioning",
    limits=(
        NumberLimit("maxCpus", "Most vCPUs of a cluster with auto-provisioning"),
        NumberLimit("maxMemoryGib", "Most memory of a cluster with auto-provisioning, in GiB"),
        NumberLimit("maxGpus", "Most GPUs of each type of a cluster with auto-provisioning"),
    ),
    applies=lambda resource_type: (
        resource_type in (CLUSTER, _CLASS) or kind_of(resource_type) == _KARPENTER
    ),
    check=_check,
)

"""GPUs of machines that are made of a template: of groups, of single machines and of notebooks.

A template takes nothing; what is made of it takes the template's GPUs, as often as it may grow.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from resources.gpus import GpuDemand, Gpus, gpu_demand, machine_gpus, spec_gpus, times
from resources.properties import (
    MISSING,
    UNKNOWN,
    Absence,
    elements,
    entries,
    get,
    number,
    text,
)
from resources.resource import Resource, Stack
from resources.wiring import referenced_names

NOTEBOOK: Final = "gcp:colab/runtimeTemplate:RuntimeTemplate"
TEMPLATES: Final = (
    "gcp:compute/instanceTemplate:InstanceTemplate",
    "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate",
    NOTEBOOK,
)
_REQUESTED: Final = "instanceGroupManager"
# What sizes groups: the property that names the group, and where the size stands.
_SIZES: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "gcp:compute/autoscaler:Autoscaler": ("target", ("autoscalingPolicy", "maxReplicas")),
    "gcp:compute/regionAutoscaler:RegionAutoscaler": (
        "target",
        ("autoscalingPolicy", "maxReplicas"),
    ),
    "gcp:compute/regionResizeRequest:RegionResizeRequest": (_REQUESTED, ("resizeBy",)),
    "gcp:compute/resizeRequest:ResizeRequest": (_REQUESTED, ("resizeBy",)),
}
_GROUPS: Final = (
    "gcp:compute/instanceGroupManager:InstanceGroupManager",
    "gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager",
)
# Type token: the property that names the template of one machine.
_SINGLE: Final[Mapping[str, tuple[str, ...]]] = {
    "gcp:colab/runtime:Runtime": ("notebookRuntimeTemplateRef", "notebookRuntimeTemplate"),
}
# The same for machines that may differ from it; what an image holds is not seen here.
_OVERRIDING: Final[Mapping[str, tuple[str, ...]]] = {
    "gcp:compute/instanceFromMachineImage:InstanceFromMachineImage": ("sourceMachineImage",),
    "gcp:compute/instanceFromTemplate:InstanceFromTemplate": ("sourceInstanceTemplate",),
}


def template_gpus(template: Resource) -> list[Gpus]:
    """Return GPUs of each machine of a template."""
    if template.type == NOTEBOOK:
        return spec_gpus(get(template.props, "machineSpec"))
    kind = text(template.props, "machineType")
    return machine_gpus(kind, get(template.props, "guestAccelerators"))


def stack_demand(stack: Stack) -> Iterator[tuple[Resource, GpuDemand]]:
    """Yield what every resource of the stack may take at most."""
    templates = _named(stack, TEMPLATES)
    for each in stack:
        for demand in gpu_demand(each):
            yield each, demand
    sizes = _sizes(stack)
    for token in _GROUPS:
        for group in stack.by_type.get(token, ()):
            for gpus in _group_gpus(group, templates):
                yield group, times(gpus, _size(group, sizes))
    for token, path in _SINGLE.items():
        for each in stack.by_type.get(token, ()):
            for gpus in _of(referenced_names(each, *path), templates):
                yield each, times(gpus, 1.0)
    for token, path in _OVERRIDING.items():
        for each in stack.by_type.get(token, ()):
            own = _own(each)
            for gpus in _of(referenced_names(each, *path), templates) if own is None else own:
                yield each, times(gpus, 1.0)


def _own(machine: Resource) -> list[Gpus] | None:
    """Return what a machine says itself, None where it leaves that to its template or image."""
    kind, attached = text(machine.props, "machineType"), get(machine.props, "guestAccelerators")
    return None if kind is MISSING and attached is MISSING else machine_gpus(kind, attached)


def _named(stack: Stack, tokens: tuple[str, ...]) -> dict[str, Resource]:
    """Return resources by URN and by name."""
    found: dict[str, Resource] = {}
    for token in tokens:
        for each in stack.by_type.get(token, ()):
            for name in {each.urn, *referenced_names(each, "name")}:
                found[name] = each
    return found


def _of(names: frozenset[str], templates: Mapping[str, Resource]) -> list[Gpus]:
    """Return GPUs of a machine of one of the templates, by the largest; not known if none is."""
    found = {templates[name].urn: templates[name] for name in names if name in templates}
    if not found:
        return [Gpus(UNKNOWN, UNKNOWN)]
    return _largest([gpus for each in found.values() for gpus in template_gpus(each)])


def _largest(found: Sequence[Gpus]) -> list[Gpus]:
    """Return one entry a type, of the larger count; what is not known is larger than anything."""
    most: dict[str | Absence, Gpus] = {}
    for each in sorted(found, key=_count):
        most[each.type] = each
    return list(most.values())


def _count(gpus: Gpus) -> float:
    return math.inf if isinstance(gpus.count, Absence) else gpus.count


def _group_gpus(group: Resource, templates: Mapping[str, Resource]) -> list[Gpus]:
    names = {
        name.rpartition("/")[2]
        for version in elements(group.props, "versions")
        if isinstance(name := text(version, "instanceTemplate"), str)
    }
    found = _of(frozenset(names | set(group.dependencies.get("versions", ()))), templates)
    for selection in elements(group.props, "instanceFlexibilityPolicy", "instanceSelections"):
        kinds = entries(selection, "machineTypes")
        for kind in kinds if isinstance(kinds, tuple) else (kinds,):
            found += machine_gpus(kind if isinstance(kind, str) else UNKNOWN, MISSING)
    return _largest(found)


# What sizes a group: its own URN, whether it comes on top of the others, and its size.
_Size = tuple[str, bool, float | Absence]


def _sizes(stack: Stack) -> Mapping[str, Sequence[_Size]]:
    """Return what autoscalers and requests make of each group, by the group's URN or name."""
    found: defaultdict[str, list[_Size]] = defaultdict(list)
    for token, (target, path) in _SIZES.items():
        for each in stack.by_type.get(token, ()):
            for name in referenced_names(each, target):
                on_top = target == _REQUESTED
                found[name].append((each.urn, on_top, number(each.props, *path)))
    return found


def _size(group: Resource, sizes: Mapping[str, Sequence[_Size]]) -> float | Absence:
    """Return the most machines: what is asked for or an autoscaler may make, and what is
    requested."""
    found: set[_Size] = {(group.urn, False, number(group.props, "targetSize"))}
    for name in {group.urn, *referenced_names(group, "name")}:
        # One that names the group twice, by URN and by name, counts once.
        found |= set(sizes.get(name, ()))
    known = [(on_top, size) for _, on_top, size in found if isinstance(size, float)]
    if not known or any(size is UNKNOWN for _, _, size in found):
        return UNKNOWN
    most = max((size for on_top, size in known if not on_top), default=0.0)
    return most + sum(size for on_top, size in known if on_top)

"""Cloud Run services and worker pools."""

import re
from collections.abc import Iterator
from typing import Final

from cost.model import Item, Resource
from cost.pricing import Bounds, Pricing, by_usage, missing, unknown
from policies.rules.cloud_run import max_instances
from policies.rules.peek import MISSING, UNKNOWN, Absence, entries, flag, number, peek, text

_QUANTITY: Final = re.compile(r"(\d+(?:\.\d+)?)(m|k|M|G|Ki|Mi|Gi)?")
_UNITS: Final = {
    "m": 1e-3,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
}
_GIB: Final = 2.0**30
# What Cloud Run gives a container that does not say.
_DEFAULTS: Final = {"cpu": 1.0, "memory": 512 * 2.0**20, "nvidia.com/gpu": 0.0}


def service(resource: Resource, pricing: Pricing) -> Iterator[Item]:
    """Instances from the least kept ready to the most at once, working all month at the most."""
    most, least = max_instances(resource.inputs), _min_instances(resource)
    containers = entries(resource.inputs, "template", "containers")
    if isinstance(most, Absence):
        yield unknown(resource, "the maximum of instances", most)
    elif isinstance(least, Absence):
        yield unknown(resource, "the minimum of instances", least)
    elif isinstance(containers, Absence):
        yield unknown(resource, "the size of an instance", containers)
    else:
        yield from _instances(resource, pricing, containers, Bounds(min(least, most), most))


def _min_instances(resource: Resource) -> float | Absence:
    scaling = peek(resource.inputs, "scaling")
    if text(scaling, "scalingMode") == "MANUAL":
        return number(scaling, "manualInstanceCount")
    bounds = (
        number(scaling, "minInstanceCount"),
        number(resource.inputs, "template", "scaling", "minInstanceCount"),
    )
    if UNKNOWN in bounds:
        return UNKNOWN
    return max([bound for bound in bounds if isinstance(bound, float)], default=0.0)


def _instances(
    resource: Resource, pricing: Pricing, containers: tuple[object, ...], instances: Bounds
) -> Iterator[Item]:
    vcpus, memory, gpus = (_sum(containers, name) for name in _DEFAULTS)
    if isinstance(vcpus, Absence) or isinstance(memory, Absence) or isinstance(gpus, Absence):
        yield unknown(resource, "the size of an instance", UNKNOWN)
        return
    always_on = gpus > 0 or not all(_idles(container) for container in containers)
    yield _line(resource, pricing, "vcpu", instances.times(vcpus), always_on)
    yield _line(resource, pricing, "memory", instances.times(memory / _GIB), always_on)
    if gpus:
        yield _gpus(resource, pricing, instances.times(gpus))
    if not always_on:
        yield by_usage(resource, "requests are billed by number beside that")


def _gpus(resource: Resource, pricing: Pricing, amount: Bounds) -> Item:
    """GPUs of a known kind in one zone; those of a second one have another price."""
    kind = text(resource.inputs, "template", "nodeSelector", "accelerator")
    if flag(resource.inputs, "template", "gpuZonalRedundancyDisabled") is not True:
        return missing(resource, "there is no price for Cloud Run GPUs with zonal redundancy")
    if isinstance(kind, Absence):
        return unknown(resource, "the kind of GPU", kind)
    return pricing.line(resource, "Cloud Run GPUs", pricing.month(f"cloud-run-gpu-{kind}"), amount)


def _line(resource: Resource, pricing: Pricing, unit: str, amount: Bounds, always_on: bool) -> Item:
    """Billed while the instance lives, or while it handles requests and less while it waits."""
    mode, kept = ("-instance", "-instance") if always_on else ("", "-idle")
    return pricing.between(
        resource,
        f"instance {unit}",
        least=pricing.month(f"cloud-run{kept}-{unit}"),
        most=pricing.month(f"cloud-run{mode}-{unit}"),
        amount=amount,
    )


def _idles(container: object) -> bool:
    """Whether CPU is only given, and billed, while requests are handled."""
    idle = flag(container, "resources", "cpuIdle")
    return idle is True or peek(container, "resources") is MISSING


def _sum(containers: tuple[object, ...], name: str) -> float | Absence:
    total = 0.0
    for container in containers:
        found = peek(container, "resources", "limits", name)
        if isinstance(container, Absence) or found is UNKNOWN:
            return UNKNOWN
        if found is MISSING:
            total += _DEFAULTS[name]
            continue
        match = _QUANTITY.fullmatch(f"{found:g}" if isinstance(found, float) else str(found))
        if match is None:
            return UNKNOWN
        total += float(match[1]) * _UNITS.get(match[2] or "", 1.0)
    return total

"""Cloud Run services, worker pools and jobs."""

from collections.abc import Iterator
from typing import Final

from catalog.conventions import GPUS
from cost.model import Item
from cost.pricing import Bounds, Pricing, by_usage, missing, unknown
from resources.cloud_run import max_instances
from resources.properties import MISSING, UNKNOWN, Absence, entries, flag, get, number, text
from resources.quantities import quantity
from resources.resource import Resource

_GIB: Final = 2.0**30
# What Cloud Run gives a container that does not say.
_DEFAULTS: Final = {"cpu": 1.0, "memory": 512 * 2.0**20, GPUS: 0.0}


def service(resource: Resource, pricing: Pricing) -> Iterator[Item]:
    """Yield instances from the least kept ready to the most at once, working all month at the
    most."""
    most = max_instances(resource.props)
    least = _min_instances(resource, most)
    containers = entries(resource.props, "template", "containers")
    if isinstance(most, Absence):
        yield unknown(resource, "the maximum of instances", most)
    elif isinstance(least, Absence):
        yield unknown(resource, "the minimum of instances", least)
    elif isinstance(containers, Absence):
        yield unknown(resource, "the size of an instance", containers)
    else:
        always_on = not all(_idles(container) for container in containers)
        instances = Bounds(min(least, most), most)
        yield from _instances(resource, pricing, containers, instances, always_on)


def job(resource: Resource, pricing: Pricing) -> Iterator[Item]:
    """From no execution to one that runs all month with all the tasks it may run at once."""
    tasks = number(resource.props, "template", "taskCount")
    at_once = number(resource.props, "template", "parallelism")
    containers = entries(resource.props, "template", "template", "containers")
    if UNKNOWN in (tasks, at_once):
        yield unknown(resource, "the number of tasks", UNKNOWN)
    elif isinstance(containers, Absence):
        yield unknown(resource, "the size of a task", containers)
    else:
        count = 1.0 if isinstance(tasks, Absence) else tasks
        # No parallelism, or zero, is as many as there are.
        most = min(count, at_once) if isinstance(at_once, float) and at_once else count
        yield from _instances(resource, pricing, containers, Bounds(0.0, most), always_on=True)
        yield by_usage(resource, "executions at the same time are billed each")


def _min_instances(resource: Resource, most: float | Absence) -> float | Absence:
    scaling = get(resource.props, "scaling")
    # Where the program leaves it out the provider fills it in: unknown in the first preview, and
    # by no more than the most.
    if scaling is UNKNOWN:
        return most
    if text(scaling, "scalingMode") == "MANUAL":
        return number(scaling, "manualInstanceCount")
    bounds = (
        number(scaling, "minInstanceCount"),
        number(resource.props, "template", "scaling", "minInstanceCount"),
    )
    if UNKNOWN in bounds:
        return UNKNOWN
    return max([bound for bound in bounds if isinstance(bound, float)], default=0.0)


def _instances(
    resource: Resource,
    pricing: Pricing,
    containers: tuple[object, ...],
    instances: Bounds,
    always_on: bool,
) -> Iterator[Item]:
    vcpus, memory, gpus = (_sum(containers, name) for name in _DEFAULTS)
    if isinstance(vcpus, Absence) or isinstance(memory, Absence) or isinstance(gpus, Absence):
        yield unknown(resource, "the size of an instance", UNKNOWN)
        return
    always_on = always_on or gpus > 0
    yield _line(resource, pricing, "vcpu", instances.times(vcpus), always_on)
    yield _line(resource, pricing, "memory", instances.times(memory / _GIB), always_on)
    if gpus:
        yield _gpus(resource, pricing, instances.times(gpus))
    if not always_on:
        yield by_usage(resource, "requests are billed by number beside that")


def _gpus(resource: Resource, pricing: Pricing, amount: Bounds) -> Item:
    """Return GPUs of a known kind in one zone; those of a second one have another price."""
    kind = text(resource.props, "template", "nodeSelector", "accelerator")
    if flag(resource.props, "template", "gpuZonalRedundancyDisabled") is not True:
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
    """Return whether CPU is only given, and billed, while requests are handled."""
    idle = flag(container, "resources", "cpuIdle")
    return idle is True or get(container, "resources") is MISSING


def _sum(containers: tuple[object, ...], name: str) -> float | Absence:
    total = 0.0
    for container in containers:
        limit = quantity(container, "resources", "limits", name)
        if isinstance(container, Absence) or limit is UNKNOWN:
            return UNKNOWN
        total += _DEFAULTS[name] if isinstance(limit, Absence) else limit
    return total

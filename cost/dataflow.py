"""Workers of Dataflow jobs."""

import re
from collections.abc import Iterator
from typing import Final

from cost.model import Item
from cost.pricing import Bounds, Pricing, by_usage, missing, unknown
from resources.properties import Absence, number, text
from resources.resource import Resource

_SHAPE: Final = re.compile(r"[a-z]\d[a-z]?-(standard|highmem|highcpu)-(\d+)")
# GiB for each vCPU, the most that a series has.
# https://cloud.google.com/compute/docs/general-purpose-machines
_GIB_PER_VCPU: Final = {"standard": 4.0, "highmem": 8.0, "highcpu": 2.0}


def job(resource: Resource, pricing: Pricing) -> Iterator[Item]:
    """From one worker, or as many as it starts with, to the most; all month, as streaming ones.

    Batch workers cost less and end: the price of streaming ones is a ceiling for them.
    """
    most = number(resource.props, "maxWorkers")
    first = number(resource.props, "numWorkers")
    machine = text(resource.props, "machineType")
    shape = _SHAPE.fullmatch(machine) if isinstance(machine, str) else None
    if isinstance(most, Absence):
        yield unknown(resource, "the maximum of workers", most)
    elif isinstance(machine, Absence):
        yield unknown(resource, "the machine type of the workers", machine)
    elif shape is None:
        yield missing(resource, f"the size of {machine} is not known")
    else:
        vcpus = float(shape[2])
        # What isn't given, the service decides.
        least = 1.0 if isinstance(first, Absence) else min(float(first), most)
        workers = Bounds(least, most)
        for what, size in (("vcpu", vcpus), ("memory", vcpus * _GIB_PER_VCPU[shape[1]])):
            price = pricing.month(f"dataflow-streaming-{what}")
            yield pricing.line(resource, f"worker {what}", price, workers.times(size))
    yield by_usage(resource, "streamed GiB and disks are billed beside that")

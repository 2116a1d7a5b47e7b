"""Endpoints of Vertex AI."""

from collections.abc import Iterator

from cost.model import Item
from cost.pricing import Bounds, Pricing, unknown
from resources.properties import MISSING, UNKNOWN, Absence, flag, get, number, show, text
from resources.resource import Resource


def endpoint(resource: Resource, pricing: Pricing) -> Iterator[Item]:
    """Yield machines of the replicas, from the least to the most there may be."""
    dedicated = get(resource.props, "deployConfig", "dedicatedResources")
    machine = text(dedicated, "machineSpec", "machineType")
    least, most = number(dedicated, "minReplicaCount"), number(dedicated, "maxReplicaCount")
    if isinstance(machine, Absence):
        yield unknown(resource, "the machine type", machine)
        return
    if isinstance(least, Absence) or most is UNKNOWN:
        yield unknown(resource, "the number of replicas", UNKNOWN)
        return
    replicas = Bounds(least, least if most is MISSING or isinstance(most, Absence) else most)
    capacity = "spot" if flag(dedicated, "spot") is True else "on-demand"
    what = f"{show(machine)} replicas, {capacity}"
    yield pricing.line(resource, what, pricing.machine(machine, capacity), replicas)
    fee = pricing.month("vertex-fee")
    host = pricing.machine(machine, "on-demand")
    usd = None if fee is None or host is None else fee * host
    yield pricing.line(resource, "the fee of Vertex AI", usd, replicas)

"""Endpoints, indexes and feature stores of Vertex AI."""

from collections.abc import Iterator

from cost.model import Item
from cost.pricing import Bounds, Pricing, missing, unknown
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


def online_store(resource: Resource, pricing: Pricing) -> Iterator[Item]:
    """Yield the nodes of Bigtable that serve features; others are billed by use alone."""
    scaling = get(resource.props, "bigtable", "autoScaling")
    if scaling is MISSING:
        yield missing(resource, "there is no price for optimized serving of features")
    else:
        nodes = _bounds(scaling, "minNodeCount", "maxNodeCount")
        if nodes is None:
            yield unknown(resource, "the number of nodes", UNKNOWN)
        else:
            price = pricing.month("feature-store-node")
            yield pricing.line(resource, "nodes that serve features", price, nodes)


def deployed_index(resource: Resource, pricing: Pricing) -> Iterator[Item]:
    """Yield machines of the replicas of an index, from the least to the most, of one shard."""
    dedicated = get(resource.props, "dedicatedResources")
    machine = text(dedicated, "machineSpec", "machineType")
    replicas = _bounds(dedicated, "minReplicaCount", "maxReplicaCount")
    if isinstance(machine, Absence) or replicas is None:
        yield unknown(resource, "machine type or number of replicas", UNKNOWN)
        return
    what = f"{show(machine)} replicas of a shard"
    yield pricing.line(resource, what, pricing.month(f"vector-search-{machine}"), replicas)


def _bounds(scaling: object, least: str, most: str) -> Bounds | None:
    found = number(scaling, least), number(scaling, most)
    if isinstance(found[0], Absence) or isinstance(found[1], Absence):
        return None
    return Bounds(found[0], found[1])

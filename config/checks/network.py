"""The address plan: ranges that overlap, and ranges the pools outgrow."""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from config.errors import KeyPath, Problem, shown, shown_path
from config.known import Known

# GKE gives each node a /24 of the pod range at its default of 110 pods, and keeps 4 addresses of a
# subnet.
# https://cloud.google.com/kubernetes-engine/docs/concepts/alias-ips
_NODE_POD_PREFIX: Final = 24
_RESERVED_ADDRESSES: Final = 4


def overlaps(ranges: Mapping[KeyPath, str]) -> Iterator[tuple[KeyPath, KeyPath]]:
    """Yield pairs of paths whose ranges share addresses: each range with the nearest before it.

    Sorted by address, ranges without host bits either nest or are apart, so one pass is enough.
    """
    ordered = sorted(
        ((ipaddress.IPv4Network(cidr), path) for path, cidr in ranges.items()),
        key=lambda entry: (entry[0].network_address, entry[0].prefixlen),
    )
    enclosing: list[tuple[ipaddress.IPv4Network, KeyPath]] = []
    for network, path in ordered:
        while enclosing and not network.subnet_of(enclosing[-1][0]):
            enclosing.pop()
        if enclosing:
            yield enclosing[-1][1], path
        enclosing.append((network, path))


def check_overlaps(ranges: Mapping[KeyPath, str]) -> Iterator[Problem]:
    """Yield a problem for each range that shares addresses with another of the same network."""
    order = {path: position for position, path in enumerate(ranges)}
    for pair in overlaps(ranges):
        first, second = sorted(pair, key=order.__getitem__)
        yield Problem(
            second,
            shown(ranges[second]),
            f"a range that does not overlap {shown_path(first)} ({ranges[first]})",
            "move one of them",
        )


def check_network(known: Known) -> Iterator[Problem]:
    """Yield ranges apart from each other, with room for every node."""
    ranges: dict[KeyPath, str] = {
        ("regions", name, kind): cidr
        for name, region in known.regions.items()
        for kind, cidr in region.model_dump().items()
    }
    if known.data.cache is not None:
        ranges["data", "cache", "range"] = known.data.cache.range
    yield from check_overlaps(ranges)
    for name, region in known.regions.items():
        nodes = known.cluster.system_pool.max_nodes + sum(
            pool.max_nodes for pool in known.gpu_pools.values() if pool.is_in(name)
        )
        yield from _room(name, "nodes", region.nodes, nodes, _addresses(region.nodes))
        yield from _room(name, "pods", region.pods, nodes, _pod_ranges(region.pods))


def _addresses(cidr: str) -> int:
    return ipaddress.IPv4Network(cidr).num_addresses - _RESERVED_ADDRESSES


def _pod_ranges(cidr: str) -> int:
    return int(2 ** (_NODE_POD_PREFIX - ipaddress.IPv4Network(cidr).prefixlen))


def _room(region: str, kind: str, cidr: str, nodes: int, room: int) -> Iterable[Problem]:
    if nodes > room:
        yield Problem(
            ("regions", region, kind),
            f"{shown(cidr)}, room for {room} nodes",
            f"a range with room for the {nodes} nodes the pools of {region} may have",
            "choose a larger range or lower max_nodes",
        )

"""The address plan: ranges that overlap, ranges the pools outgrow, and parts of no network."""

import ipaddress
from collections.abc import Iterable, Iterator
from typing import Final

from catalog.limits.network import apart
from catalog.problems import KeyPath, Problem, shown
from catalog.words import plural
from config.known import Known
from config.pipelines import Pipeline
from config.services import Service

# GKE gives each node a /24 of the pod range at its default of 110 pods, and keeps 4 addresses of a
# subnet.
# https://cloud.google.com/kubernetes-engine/docs/concepts/alias-ips
_NODE_POD_PREFIX: Final = 24
_RESERVED_ADDRESSES: Final = 4
# Cloud Run keeps two addresses an instance.
# https://cloud.google.com/run/docs/configuring/vpc-direct-vpc#direct-vpc-ip-allocation
_OF_AN_INSTANCE: Final = 2


def check_network(known: Known) -> Iterator[Problem]:
    """Check that ranges are apart from each other, with room for every node."""
    ranges: dict[KeyPath, str] = {
        ("regions", name, kind): cidr
        for name, region in known.regions.items()
        for kind, cidr in region.ranges.items()
    }
    if known.data.cache is not None:
        ranges["data", "cache", "range"] = known.data.cache.range
    yield from apart(ranges)
    yield from _check_existing(known)
    yield from _check_clusters(known)
    for name, region in known.regions.items():
        nodes = known.cluster.system_pool.max_nodes + sum(
            pool.max_nodes for pool in known.gpu_pools.values() if pool.is_in(name)
        )
        yield from _check_endpoints(known, name, region.psc_nat)
        yield from _room(name, "nodes", region.nodes, nodes, _addresses(region.nodes))
        yield from _check_instances(known, name, region.nodes, nodes)
        yield from _room(name, "pods", region.pods, nodes, _pod_ranges(region.pods))


def _check_existing(known: Known) -> Iterator[Problem]:
    """Check that what is said to be there is in a network that is there, which a perimeter can
    hold."""
    network, own = known.network, known.project.id if known.project else None
    if network.existing is None and "network" not in known.unread:
        named: list[KeyPath] = [
            ("regions", name, "existing", key)
            for name, region in known.regions.items()
            for key, value in region.existing
            if value != type(region.existing).model_fields[key].default
        ]
        if network.google_apis_zone is not None:
            named.append(("network", "google_apis_zone"))
        for path in named:
            yield Problem(
                path,
                "what is there of a network that is made",
                "it in an existing network",
                "name that in network.existing, or remove this",
            )
    holds = known.perimeter is not None and (known.perimeter.existing or known.perimeter.projects)
    if known.perimeter and not holds and own and network.project not in {None, own}:
        yield Problem(
            ("network", "existing"),
            f"{shown(network.existing)} with a perimeter around {own} alone",
            "a network of a project inside the perimeter",
            "name the host project's number in perimeter.projects, or as perimeter.existing the "
            "perimeter that both are in",
        )


def _check_clusters(known: Known) -> Iterator[Problem]:
    """Check that a cluster that is there is in a subnet that is, and that none is set up anew."""
    there = {
        name: region.existing for name, region in known.regions.items() if region.existing.cluster
    }
    for name, existing in there.items():
        if known.network.existing is not None and existing.subnetwork is None:
            yield Problem(
                ("regions", name, "existing", "cluster"),
                f"{shown(existing.cluster)} in a subnet that is made",
                "a cluster in a subnet that is there",
                f"name that in regions.{name}.existing.subnetwork, or remove this",
            )
    if known.regions and there.keys() == known.regions.keys() and "regions" not in known.unread:
        for key in ("release_channel", "minimum_version", "maintenance_window"):
            if key in known.cluster.model_fields_set:
                yield Problem(
                    ("cluster", key),
                    "a setting of clusters that are made, where every region has one",
                    "system_pool, and binary_authorization and security_group, which existing"
                    " clusters must have",
                    "remove it: the cluster's owner decides, and each preview checks its version",
                )


def _check_endpoints(known: Known, region: str, cidr: str) -> Iterator[Problem]:
    """Check that a range has an address for each endpoint that consumers may connect."""
    wanted = sum(
        each.connection_limit
        for each in known.consumers.values()
        if region in (each.subnets or each.subnetworks or known.regions)
    )
    room = _addresses(cidr)
    if wanted > room:
        yield Problem(
            ("regions", region, "psc_nat"),
            f"{shown(cidr)}, room for {plural(room, 'endpoint')}",
            f"a range with room for the {plural(wanted, 'endpoint')} consumers may connect",
            "choose a larger range or lower connection_limit of consumers",
        )


def _check_instances(known: Known, region: str, cidr: str, nodes: int) -> Iterator[Problem]:
    """Check that a range has addresses for Cloud Run's instances beside its nodes."""
    instances = sum(each.max_instances for each in _in_network(known) if each.region == region)
    if not instances or nodes > (room := _addresses(cidr)):
        return
    wanted = nodes + _OF_AN_INSTANCE * instances
    if wanted > room:
        yield Problem(
            ("regions", region, "nodes"),
            f"{shown(cidr)}, room for {plural(room, 'address', 'addresses')}",
            f"a range with room for {plural(nodes, 'node')}, and twice for the "
            f"{plural(instances, 'instance')} of services and pipelines in the network",
            "choose a larger range or lower max_nodes or max_instances",
        )


def _in_network(known: Known) -> Iterator[Service | Pipeline]:
    """Yield the services and pipelines that send into the network."""
    for service in known.services.values():
        if service.effective_egress != "none":
            yield service
    for name, pipeline in known.pipelines.items():
        if known.data.needs_network(name, pipeline):
            yield pipeline


def _addresses(cidr: str) -> int:
    return ipaddress.IPv4Network(cidr).num_addresses - _RESERVED_ADDRESSES


def _pod_ranges(cidr: str) -> int:
    return int(2 ** (_NODE_POD_PREFIX - ipaddress.IPv4Network(cidr).prefixlen))


def _room(region: str, kind: str, cidr: str, nodes: int, room: int) -> Iterable[Problem]:
    if nodes > room:
        yield Problem(
            ("regions", region, kind),
            f"{shown(cidr)}, room for {plural(room, 'node')}",
            f"a range with room for the {plural(nodes, 'node')} the pools of {region} may have",
            "choose a larger range or lower max_nodes",
        )

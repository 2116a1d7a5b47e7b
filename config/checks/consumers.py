"""Consumers: exactly one kind each, in the platform's regions, with ranges of their own apart."""

from collections.abc import Iterator, Mapping

from catalog.conventions import PLATFORM
from catalog.limits.network import apart
from catalog.problems import KeyPath, Problem, joined, shown, shown_path
from config.checks.failover import check_failover
from config.checks.references import check_region_keys
from config.consumers import Consumer
from config.known import Known

_KINDS = ("subnets", "network", "project")


def check_consumers(known: Known) -> Iterator[Problem]:
    """Check every consumer."""
    for name, consumer in known.consumers.items():
        path = ("consumers", name)
        yield from _check_kind(path, consumer)
        yield from check_region_keys(known, (*path, "subnets"), consumer.subnets)
        yield from check_region_keys(known, (*path, "subnetworks"), consumer.subnetworks)
        yield from apart(
            {
                **{(*path, "subnets", region): cidr for region, cidr in consumer.subnets.items()},
                **{
                    (*path, "failover", "proxy_only", region): cidr
                    for region, cidr in _proxy_only(consumer).items()
                },
            }
        )
        yield from check_failover(path, consumer)
        yield from _check_accepted(known, path, consumer)
        for region, subnetwork in consumer.subnetworks.items():
            if f"/regions/{region}/" not in subnetwork:
                yield Problem(
                    (*path, "subnetworks", region),
                    shown(subnetwork),
                    f"a subnetwork of {region}",
                    "change the region in one of them",
                )
    yield from _check_networks(known)


def _proxy_only(consumer: Consumer) -> Mapping[str, str]:
    return consumer.failover.proxy_only if consumer.failover else {}


def _check_accepted(known: Known, path: tuple[str, str], consumer: Consumer) -> Iterator[Problem]:
    by_network = known.gateway is not None and known.gateway.accept == "network"
    if by_network and consumer.project:
        yield Problem(
            (*path, "project"),
            f"{shown(consumer.project)}, which no accept list names",
            "no project where gateway.accept is 'network' (an attachment accepts one kind)",
            "give the consumer's network with subnetworks, or set accept: project",
        )
    if consumer.project and consumer.shared_with:
        yield Problem(
            (*path, "shared_with"),
            "networks that share what isn't made here",
            "nothing beside project",
            "remove it: who makes the endpoints shares them",
        )


def _check_networks(known: Known) -> Iterator[Problem]:
    """Check that each network resolves the hostname in one way: to its own endpoints or to shared
    ones."""
    taken: dict[str, KeyPath] = {}
    made = _own(known)
    for name, consumer in known.consumers.items():
        used: list[tuple[KeyPath, str]] = [
            (("consumers", name, "shared_with", position), network)
            for position, network in enumerate(consumer.shared_with)
        ]
        if consumer.network:
            used.insert(0, (("consumers", name, "network"), consumer.network))
        for path, network in used:
            if network in made:
                yield Problem(
                    path,
                    f"{shown(network)}, {made[network]}",
                    "a network that is neither the platform's nor made by this stack",
                    "name the network of who calls: a network here reaches the gateway by itself",
                )
            elif network in taken:
                yield Problem(
                    path,
                    f"{shown(network)} again",
                    f"each network once ({shown_path(taken[network])} has it)",
                    "remove one of them: a network gets the hostname from one consumer",
                )
            taken.setdefault(network, path)


def _own(known: Known) -> Mapping[str, str]:
    """Return the full names of the platform's network and of those that the stack makes, each with
    whose it is."""
    existing = known.network.existing
    found = {existing: "the platform's own, by network.existing"} if existing else {}
    if known.project is None:
        return found
    whose = {} if existing else {PLATFORM: "the platform's own"}
    for name, consumer in known.consumers.items():
        if consumer.subnets:
            whose.setdefault(name, f"which consumers.{name} makes")
    made = {
        f"projects/{known.project.id}/global/networks/{name}": says for name, says in whose.items()
    }
    return {**made, **found}


def _check_kind(path: tuple[str, str], consumer: Consumer) -> Iterator[Problem]:
    given = [kind for kind in _KINDS if getattr(consumer, kind)]
    if len(given) != 1:
        yield Problem(
            path,
            f"{joined(given)} together" if given else "none of them",
            "exactly one of subnets, network, project",
            "give one: subnets makes a VPC, network uses one, project only accepts",
        )
    if consumer.network and not consumer.subnetworks:
        yield Problem(
            (*path, "subnetworks"),
            "nothing",
            "a subnetwork for each region with an endpoint",
            "add them beside network",
        )
    if consumer.subnetworks and not consumer.network:
        yield Problem(
            (*path, "subnetworks"),
            "subnetworks without a network",
            "subnetworks beside network",
            "add network: or remove them",
        )

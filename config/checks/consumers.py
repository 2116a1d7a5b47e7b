"""Consumers: exactly one kind each, in the platform's regions, with ranges of their own apart."""

from collections.abc import Iterator

from config.checks.network import check_overlaps
from config.checks.references import check_region_keys
from config.consumers import Consumer
from config.errors import Problem, listed, shown
from config.known import Known

_KINDS = ("subnets", "network", "project")


def check_consumers(known: Known) -> Iterator[Problem]:
    """Every consumer."""
    for name, consumer in known.consumers.items():
        path = ("consumers", name)
        yield from _check_kind(path, consumer)
        yield from check_region_keys(known, (*path, "subnets"), consumer.subnets)
        yield from check_region_keys(known, (*path, "subnetworks"), consumer.subnetworks)
        yield from check_overlaps(
            {(*path, "subnets", region): cidr for region, cidr in consumer.subnets.items()}
        )
        for region, subnetwork in consumer.subnetworks.items():
            if f"/regions/{region}/" not in subnetwork:
                yield Problem(
                    (*path, "subnetworks", region),
                    shown(subnetwork),
                    f"a subnetwork of {region}",
                    "change the region in one of them",
                )


def _check_kind(path: tuple[str, str], consumer: Consumer) -> Iterator[Problem]:
    given = [kind for kind in _KINDS if getattr(consumer, kind)]
    if len(given) != 1:
        yield Problem(
            path,
            f"{listed(given)} together" if given else "none of them",
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

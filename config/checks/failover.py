"""Failover: with room for the load balancer's proxies and connections.

One region is enough: the load balancer stays when the other is lost.
"""

from collections.abc import Iterator
from typing import Final

from catalog.problems import Problem, joined, shown
from config.consumers import Consumer

# An endpoint with the region's own address, and the load balancer's backend.
CONNECTIONS: Final = 2


def check_failover(path: tuple[str, str], consumer: Consumer) -> Iterator[Problem]:
    """Check a consumer's failover, where it has one."""
    if consumer.failover is None:
        return
    where = (*path, "failover")
    if consumer.project:
        yield Problem(
            where,
            "failover beside project",
            "failover of a network",
            "remove it: who makes the endpoints makes their load balancer",
        )
    if consumer.connection_limit < CONNECTIONS:
        yield Problem(
            (*path, "connection_limit"),
            shown(consumer.connection_limit),
            f"{CONNECTIONS} or more with failover (else the load balancer is not accepted)",
            "raise it",
        )
    ranges = consumer.failover.proxy_only
    if not consumer.subnets:
        if ranges:
            yield Problem(
                (*where, "proxy_only"),
                f"ranges for {joined(ranges)}",
                "none where the network isn't made here",
                "remove them: the network's owner makes its proxy-only subnets",
            )
        return
    missing = sorted(consumer.subnets.keys() - ranges.keys())
    if missing:
        yield Problem(
            (*where, "proxy_only"),
            f"no range for {joined(missing)}",
            f"one for each region of subnets: {joined(consumer.subnets)}",
            "add a private range of /26 or larger",
        )
    for region in sorted(ranges.keys() - consumer.subnets.keys()):
        yield Problem(
            (*where, "proxy_only", region),
            "a range of a region without a subnet",
            joined(consumer.subnets),
            "remove it, or add a subnet there",
        )

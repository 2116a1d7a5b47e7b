"""Ranges of IP addresses, and whether they are as good as the whole internet."""

import ipaddress
from collections.abc import Iterable
from typing import Final

# Half of the addresses that are given out. Of IPv6 those are 2000::/3, an eighth of the space.
_MUCH_IPV4: Final = 2**31
_MUCH_IPV6: Final = 2**124
# The largest block that was given to one owner.
_WIDEST: Final = 8


def is_everywhere(ranges: Iterable[object]) -> bool:
    """Return whether the ranges together take in half of the internet or more, however they are
    cut, or one is wider than anybody's own.

    Text that is no range of addresses, and values that are not known, count for nothing.
    """
    ipv4: list[ipaddress.IPv4Network] = []
    ipv6: list[ipaddress.IPv6Network] = []
    for each in ranges:
        network = _network(each)
        if network is not None and not network.is_private and network.prefixlen < _WIDEST:
            return True
        if isinstance(network, ipaddress.IPv4Network):
            ipv4.append(network)
        elif network is not None:
            ipv6.append(network)
    return (
        sum(each.num_addresses for each in ipaddress.collapse_addresses(ipv4)) >= _MUCH_IPV4
        or sum(each.num_addresses for each in ipaddress.collapse_addresses(ipv6)) >= _MUCH_IPV6
    )


_PRIVATE: Final = tuple(
    map(
        ipaddress.IPv4Network,
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"),
    )
)
# Where Identity-Aware Proxy, load balancers and their probes come from.
# https://cloud.google.com/load-balancing/docs/firewall-rules
_GOOGLE: Final = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "35.235.240.0/20",
            "35.191.0.0/16",
            "130.211.0.0/22",
            "209.85.152.0/22",
            "209.85.204.0/22",
        ),
    )
)


def is_public(value: object) -> bool:
    """Return whether a range is of the internet, and not of Google's proxies and probes alone."""
    network = _network(value)
    if isinstance(network, ipaddress.IPv4Network):
        inside = (*_GOOGLE, *_PRIVATE)
        return not any(network.subnet_of(each) for each in inside)
    return network is not None and network.is_global


def _network(value: object) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    if not isinstance(value, str):
        return None
    try:
        return ipaddress.ip_network(value.strip(), strict=False)
    except ValueError:
        return None

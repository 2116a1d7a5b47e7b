"""Addresses on the internet are those of Cloud NAT and of load balancers."""

from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NamesLimit
from policies.shared.rule import StackFinding, StackRule
from policies.shared.types import FORWARDING_RULES
from resources.properties import MISSING, elements, text
from resources.resource import Resource, Stack, stack_of
from resources.wiring import referenced_names

_ADDRESSES: Final = (
    "gcp:compute/address:Address",
    "gcp:compute/globalAddress:GlobalAddress",
)
_NAT: Final = "gcp:compute/routerNat:RouterNat"
_LISTS: Final = ("natIps", "drainNatIps")


def _in_use(stack: Stack) -> frozenset[str]:
    """Return what the addresses of Cloud NAT and load balancers are called, by name or wiring."""
    found: set[str] = set()
    for each in stack.by_type.get(_NAT, ()):
        links = [link for name in _LISTS for link in elements(each.props, name)]
        for rule in elements(each.props, "rules"):
            links += elements(rule, "action", "sourceNatActiveIps")
        found |= {link.rpartition("/")[2] for link in links if isinstance(link, str)}
        for name in (*_LISTS, "rules"):
            found |= set(each.dependencies.get(name, ()))
    # What load balancers let in is judged as theirs.
    for token in FORWARDING_RULES:
        for each in stack.by_type.get(token, ()):
            found |= referenced_names(each, "ipAddress")
    return frozenset(found)


def _check(resources: Sequence[Resource], limits: Limits) -> Iterator[StackFinding]:
    stack = stack_of(resources)
    allowed = _in_use(stack) | frozenset(limits.names("allowedNames"))
    for token in _ADDRESSES:
        for each in stack.by_type.get(token, ()):
            names = referenced_names(each, "name") | referenced_names(each, "address") | {each.urn}
            external = text(each.props, "addressType") in (MISSING, "EXTERNAL")
            if external and not names & allowed:
                yield StackFinding(
                    "is an address on the internet that neither Cloud NAT nor a load balancer has",
                    each,
                )


RULE: Final = StackRule(
    id="net-external-addresses",
    display_name="No address on the internet is kept",
    description=(
        "Addresses that are reserved are internal, of Cloud NAT or of a load balancer, or allowed "
        "by name."
    ),
    why="An address on the internet is there to be reached from it.",
    remediation=(
        "set addressType to INTERNAL, give it to a RouterNat or a forwarding rule, or allow it by "
        "name."
    ),
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/compute/docs/ip-addresses",
    limits=(NamesLimit("allowedNames", "Addresses that may be on the internet", default=()),),
    check=_check,
)

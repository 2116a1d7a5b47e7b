"""Addresses on the internet are those of Cloud NAT."""

from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NamesLimit
from policies.shared.rule import StackFinding, StackRule
from resources.properties import MISSING, listed, text
from resources.resource import Resource, Stack, stack_of
from resources.wiring import names_of

_ADDRESSES: Final = (
    "gcp:compute/address:Address",
    "gcp:compute/globalAddress:GlobalAddress",
)
_NAT: Final = "gcp:compute/routerNat:RouterNat"
_LISTS: Final = ("natIps", "drainNatIps")


def _of_nat(stack: Stack) -> frozenset[str]:
    """Return what the addresses of Cloud NAT are called, by name or wiring."""
    found: set[str] = set()
    for each in stack.by_type.get(_NAT, ()):
        for name in _LISTS:
            found |= set(each.dependencies.get(name, ()))
            found |= {
                link.rpartition("/")[2]
                for link in listed(each.props, name)
                if isinstance(link, str)
            }
        for rule in listed(each.props, "rules"):
            found |= {
                link.rpartition("/")[2]
                for link in listed(rule, "action", "sourceNatActiveIps")
                if isinstance(link, str)
            }
        found |= set(each.dependencies.get("rules", ()))
    return frozenset(found)


def _check(resources: Sequence[Resource], limits: Limits) -> Iterator[StackFinding]:
    stack = stack_of(resources)
    nat = _of_nat(stack)
    for token in _ADDRESSES:
        for each in stack.by_type.get(token, ()):
            names = names_of(each, "name") | {each.urn}
            external = text(each.props, "addressType") in (MISSING, "EXTERNAL")
            if external and not names & (nat | frozenset(limits.names("allowedNames"))):
                yield StackFinding("is an address on the internet that no Cloud NAT has", each)


RULE: Final = StackRule(
    id="net-external-addresses",
    display_name="No address on the internet is kept",
    description=("Addresses that are reserved are internal, of Cloud NAT, or allowed by name."),
    why="An address on the internet is there to be reached from it.",
    remediation="set addressType to INTERNAL, give it to a RouterNat, or allow it by name.",
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/compute/docs/ip-addresses",
    limits=(NamesLimit("allowedNames", "Addresses that may be on the internet", default=()),),
    check=_check,
)

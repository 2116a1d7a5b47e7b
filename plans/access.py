"""Who gets access to what by a plan, and who loses it, in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from catalog.conventions import PUBLIC
from policies.access.capabilities import ELEVATED, HANDS_ON
from policies.access.model import UNKNOWN_PRINCIPAL, RoleAssignment, is_agent, shown
from policies.access.reach import Access
from resources.properties import OPAQUE, UNKNOWN, show
from resources.resource import Stack

_SAYS: Final[Mapping[str, str]] = {
    **ELEVATED,
    "deploy": "deploys code",
    "invoke": "calls services",
    "read-data": "reads data",
    "write-data": "writes data",
}
_PROJECT: Final[Mapping[str, str]] = {
    "projectOwner:": "owners of the project",
    "projectEditor:": "editors of the project",
    "projectViewer:": "viewers of the project",
}
_SEVERAL: Final = ("pod:", "project")


@dataclass(frozen=True)
class Grant:
    """What someone holds, in words; `wide` is what a reviewer must not miss."""

    words: str
    wide: bool
    google: bool
    """Whether it is for one of Google's own accounts."""


def changed(before: Stack, after: Stack) -> tuple[list[Grant], list[Grant]]:
    """Return what is granted anew, and what no longer is."""
    then, now = grants(before), grants(after)
    return _ordered(now - then), _ordered(then - now)


def grants(stack: Stack) -> frozenset[Grant]:
    """Return everything that the stack grants."""
    held = Access(stack).held
    return frozenset(_grant(each) for every in held.values() for each in every)


def _ordered(found: Iterable[Grant]) -> list[Grant]:
    return sorted(found, key=lambda each: (not each.wide, each.google, each.words))


def _grant(held: RoleAssignment) -> Grant:
    may = held.capabilities
    if may is None:
        says = "what it allows isn't known"
    else:
        says = ", ".join(_SAYS[each] for each in _SAYS if each in may)
    condition = ", under a condition" if held.conditional else ""
    who = _PROJECT.get(held.principal, shown(held.principal))
    if held.principal == UNKNOWN_PRINCIPAL:
        who = f"an identity of {held.source}, not known yet,"
    elif who == show(OPAQUE):
        who = "somebody whose name isn't shown"
    gets = "get" if held.principal.startswith(_SEVERAL) else "gets"
    words = f"{who} {gets} {_role(held.role)} on {held.scope}{condition}"
    dangerous = frozenset(ELEVATED) if held.scope.wide else HANDS_ON
    # Who owns a project has all that is in it.
    owns = held.principal == "projectOwner:"
    wide = held.principal in PUBLIC or may is None or bool(may & dangerous and not owns)
    return Grant(f"{words}: {says}" if says else words, wide, is_agent(held.principal))


def _role(name: str) -> str:
    """Return a role as a reviewer may read it."""
    if name == show(OPAQUE):
        return "a role whose name isn't shown"
    if name == UNKNOWN.value:
        return "a role that isn't known yet"
    return f"the {name}" if " " in name else name if name.isidentifier() else show(name)

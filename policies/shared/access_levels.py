"""Access levels, and whether they let everyone in.

https://cloud.google.com/access-context-manager/docs/access-level-attributes
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from catalog.conventions import PUBLIC
from resources.addresses import is_everywhere
from resources.properties import (
    MISSING,
    UNKNOWN,
    elements,
    entries,
    flag,
    get,
    is_mapping,
    text,
)
from resources.resource import Resource

_ACM: Final = "gcp:accesscontextmanager/"
# Type token: where the levels stand in it; empty for the resource itself.
LEVELS: Final[Mapping[str, str]] = {
    f"{_ACM}accessLevel:AccessLevel": "",
    f"{_ACM}accessLevels:AccessLevels": "accessLevels",
}
CONDITION: Final = f"{_ACM}accessLevelCondition:AccessLevelCondition"
# What a device must have, and the lists of what it may be, each with what any device is.
_REQUIRED: Final = ("requireAdminApproval", "requireCorpOwned", "requireScreenLock")
_ALLOWED: Final = ("allowedDeviceManagementLevels", "allowedEncryptionStatuses")
_ANY_DEVICE: Final = (
    *("ENCRYPTION_UNSPECIFIED", "ENCRYPTION_UNSUPPORTED", "MANAGEMENT_UNSPECIFIED"),
    *("NONE", "UNENCRYPTED"),
)
# Attributes that are lists, whose entries each let some in.
_LISTS: Final = ("members", "requiredAccessLevels", "vpcNetworkSources")
_MANY_COUNTRIES: Final = 5
# What a custom level may ask of a request; all else says nothing about who or from where it is.
_NARROWS: Final = re.compile(
    r"inIpRange\(\s*origin\.ip\s*,\s*\[(?P<ranges>[^\]]*)\]\s*\)"
    r"|device\.(is_corp_owned_device|is_admin_approved_device)(\s*==\s*true)?"
    r"|device\.(encryption_status|vendors|certificates?|verified_chrome_os)\b.+"
    r"|origin\.region_code\s*(in\s*\[[^\]]+\]|==\s*\S+)"
    r"|levels\.\w+(\s*==\s*true)?"
    r"|request\.auth\.(principal|claims\S*)\s*==\s*\S+"
)
_TEXT: Final = re.compile(r"""["']([^"']*)["']""")


def open_levels(resource: Resource) -> Iterator[str]:
    """Yield what lets everyone in, of a resource that holds levels or a condition of one."""
    if resource.type == CONDITION:
        yield from _open_condition(resource.props)
        return
    path = LEVELS[resource.type]
    levels = entries(resource.props, path) if path else (resource.props,)
    for level in levels if isinstance(levels, tuple) else ():
        yield from _open_level(level)


def named(resource: Resource) -> tuple[tuple[object, ...], tuple[object, ...]]:
    """Return the members and the networks that the conditions of a level or a list of levels
    name."""
    path = LEVELS.get(resource.type)
    conditions = (resource.props,)
    if path is not None:
        levels = elements(resource.props, path) if path else (resource.props,)
        conditions = tuple(c for level in levels for c in elements(level, "basic", "conditions"))
    members = tuple(m for each in conditions for m in elements(each, "members"))
    networks = tuple(
        text(source, "vpcSubnetwork", "network")
        for each in conditions
        for source in elements(each, "vpcNetworkSources")
    )
    return members, networks


def _open_level(level: object) -> Iterator[str]:
    custom = text(level, "custom", "expr", "expression")
    if isinstance(custom, str) and not _narrow_expression(custom):
        yield "has an expression that everyone may meet"
    conditions = entries(level, "basic", "conditions")
    if not isinstance(conditions, tuple):
        return
    if not conditions:
        yield "has no condition"
    found = [list(_open_condition(each)) for each in conditions]
    # With AND one that narrows is enough, save that a negated one is nearly everyone.
    negated = any(flag(each, "negate") is True for each in conditions)
    either = text(level, "basic", "combiningFunction") == "OR"
    if found and (negated or all(found) or (either and any(found))):
        yield next(each for each in found if each)[0]
    elif either and len(conditions) > 1 and any(map(_by_country, conditions)):
        yield "lets in whole countries beside what its other conditions ask for"


def _open_condition(condition: object) -> Iterator[str]:
    if condition is UNKNOWN:
        return
    if flag(condition, "negate") is True:
        yield "is negated, so that everyone else comes in"
        return
    ranges = entries(condition, "ipSubnetworks")
    if ranges is UNKNOWN:
        return
    if PUBLIC & {*elements(condition, "members")}:
        yield "lets everyone in"
        return
    if isinstance(ranges, tuple) and is_everywhere(ranges):
        yield "names ranges that take in every address"
        return
    if any(entries(condition, name) not in (MISSING, ()) for name in _LISTS):
        return
    regions = entries(condition, "regions")
    if regions is UNKNOWN or (isinstance(regions, tuple) and 0 < len(regions) < _MANY_COUNTRIES):
        return
    device = get(condition, "devicePolicy")
    if device is UNKNOWN or (is_mapping(device) and _asks(device)):
        return
    if isinstance(ranges, tuple) and ranges:
        return
    yield "lets everyone in"


def _by_country(condition: object) -> bool:
    """Return whether a condition asks for nothing but a country."""
    others = (*_LISTS, "ipSubnetworks", "devicePolicy")
    return entries(condition, "regions") not in (MISSING, (), UNKNOWN) and all(
        get(condition, name) in (MISSING, None, ()) for name in others
    )


def _asks(device: object) -> bool:
    if any(flag(device, name) is True for name in _REQUIRED):
        return True
    if entries(device, "osConstraints") not in (MISSING, (), UNKNOWN):
        return True
    return any(
        found and not any(each in _ANY_DEVICE for each in found)
        for name in _ALLOWED
        if isinstance(found := entries(device, name), tuple)
    )


def _narrow_expression(expression: str) -> bool:
    """Return whether each alternative has a statement that narrows; brackets are not read."""
    bare = expression.strip()
    if "?" in bare:
        return False
    return all(
        any(_narrows(part.strip()) for part in choice.split("&&")) for choice in bare.split("||")
    )


def _narrows(statement: str) -> bool:
    match = _NARROWS.fullmatch(statement)
    if match is None:
        return False
    ranges = match["ranges"]
    return ranges is None or not is_everywhere(_TEXT.findall(ranges))

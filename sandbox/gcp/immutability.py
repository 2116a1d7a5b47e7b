"""Which changed inputs make a new resource."""

import ipaddress
from fnmatch import fnmatchcase
from typing import Any

from sandbox.diff import Change, matches
from sandbox.gcp.identifiers import identifying_inputs
from sandbox.gcp.naming import relative_name
from sandbox.sdk_types import ResourceType
from sandbox.tables import table
from sandbox.values import Value, Values


def same_spelling(value: Value) -> Value:
    """Return a value with the spellings the API treats alike made equal (self links, ranges)."""
    return relative_name(value) if isinstance(value, str) else value


def replaces(resource: ResourceType, change: Change, old: Values, new: Values) -> bool:
    """Return whether this change needs a new resource instead of an update."""
    if change.path == "deletionPolicy":
        return False
    rules = table("immutable")
    if change.path in rules["expandable"].get(resource.token, ()):
        return not _contains(new.get(change.path), old.get(change.path))
    entries = [entry for name, entry in rules["types"].items() if fnmatchcase(resource.token, name)]
    if any(matches(change.pattern, entry.get("mutable", ())) for entry in entries):
        return False
    if any(fnmatchcase(resource.token, name) for name in rules["whole"]):
        return True
    if any(matches(change.pattern, entry.get("immutable", ())) for entry in entries):
        return True
    if change.pattern in rules["everywhere"] or change.pattern in identifying_inputs(resource):
        return True
    return not entries and change.pattern in resource.documented_immutable


def _contains(new: Any, old: Any) -> bool:
    try:
        return ipaddress.ip_network(new).supernet_of(ipaddress.ip_network(old))  # pyright: ignore[reportArgumentType] -- mixed versions raise TypeError below
    except (TypeError, ValueError):
        return False

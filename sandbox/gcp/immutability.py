"""Which changed inputs make a new resource."""

import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from catalog.limits.bigquery import ALIASES
from sandbox.diff import Change, changes
from sandbox.gcp.facts import ELEMENT, Facts, Node, facts_of
from sandbox.gcp.identifiers import identifying_inputs
from sandbox.gcp.naming import relative_name
from sandbox.gcp.write_only import readable
from sandbox.sdk_types import ResourceType
from sandbox.values import (
    Secret,
    Unknown,
    Value,
    Values,
    as_map,
    is_list,
    is_map,
    storable,
)

_INDEX: Final = re.compile(r"\[\d+\]")
_ATTACHMENT: Final = "/serviceAttachments/"
_EVERYWHERE: Final = frozenset({"project", "region", "zone", "location", "parent"})


def same_spelling(value: Value) -> Value:
    """Return a value with the spellings the API treats alike made equal (self links, ranges)."""
    return relative_name(value) if isinstance(value, str) else value


def differences(resource: ResourceType, old: Values, new: Values) -> list[Change]:
    """Return what differs to the provider: defaults filled in, sets in order.

    What the cloud decided is kept where it isn't given any more.
    """
    old, new = readable(old), readable(new)
    facts = facts_of(resource.token)
    if facts is None:
        return changes(old, new, same_spelling)
    found = changes(_normal(facts.root, old), _normal(facts.root, new), same_spelling)
    return [
        each for each in found if not (each.kind == "delete" and facts.at(_path(each)).computed)
    ]


def _path(change: Change) -> str:
    return _INDEX.sub(ELEMENT, change.path)


def _normal(node: Node, value: Value) -> Value:
    if isinstance(value, Secret):
        return _normal(node, value.value)
    if is_map(value):
        known = {
            name: _normal(node.members[name], item) if name in node.members else item
            for name, item in value.items()
        }
        return {**defaults(node, value), **known}
    if is_list(value) and node.element is not None:
        value = [_normal(node.element, item) for item in value]
    if is_list(value) and node.fact.unordered:
        return sorted(value, key=lambda item: json.dumps(storable(item), default=str))
    if node.fact.format.startswith("json") and isinstance(value, str):
        try:
            return json.dumps(json.loads(value), sort_keys=True)
        except ValueError:
            return value
    return value


def defaults(node: Node, value: Values) -> Values:
    """Return the defaults of what isn't given, save beside what they conflict with."""
    return {
        name: member.fact.default
        for name, member in node.members.items()
        if value.get(name) is None
        and member.fact.default is not None
        and not any(
            value.get(other.rpartition(".")[2]) is not None for other in member.fact.conflicts
        )
    }


def replaces(resource: ResourceType, change: Change, old: Values, new: Values) -> bool:
    """Tells whether this change needs a new resource instead of an update."""
    if change.path == "deletionPolicy":
        return False
    path = _INDEX.sub("", change.path)
    special = _SPECIAL.get((resource.token, path))
    if special is not None:
        return special(_value(old, path), _value(new, path))
    if (resource.token, path) in _BESIDE:
        name, value = _BESIDE[resource.token, path]
        return new.get(name) == value
    facts = facts_of(resource.token)
    if facts is None:
        immutable = resource.documented_immutable | identifying_inputs(resource) | _EVERYWHERE
        return change.pattern.partition(".")[0] in immutable
    if facts.never_updated:
        return True
    given = old if change.kind == "delete" else new
    return _inherits(facts, _path(change)) or (
        change.kind != "update" and _has_immutable(facts, _path(change), _value(given, change.path))
    )


def _inherits(facts: Facts, path: str) -> bool:
    """Whether the property replaces, or a map or list that it is in."""
    if facts.at(path).replaces:
        return True
    while path:
        path = path.removesuffix(ELEMENT) if path.endswith(ELEMENT) else path.rpartition(".")[0]
        if facts.at(path).replaces is True:
            return True
    return False


def _has_immutable(facts: Facts, path: str, value: Value) -> bool:
    """Return whether what comes or goes as a whole has a part that can't change in place."""
    if is_map(value):
        inner = ((f"{path}.{name}", item) for name, item in value.items() if item is not None)
    elif is_list(value):
        inner = ((f"{path}{ELEMENT}", item) for item in value)
    else:
        return False
    return any(facts.at(at).replaces or _has_immutable(facts, at, item) for at, item in inner)


def _value(values: Values, path: str) -> Value:
    found: Value = values
    for step in re.findall(r'[^.\[\]"]+', path):
        found = found.value if isinstance(found, Secret) else found
        if is_list(found) and step.isdigit():
            found = found[int(step)] if int(step) < len(found) else None
        else:
            found = as_map(found).get(step)
    return found


def _shrinks(old: Any, new: Any) -> bool:
    """Return whether a range does not grow: to one that contains it, it is expanded in place."""
    try:
        narrow: Any = ipaddress.ip_network(old)  # mixed versions raise TypeError below
        return not ipaddress.ip_network(new).supernet_of(narrow)
    except (TypeError, ValueError):
        return True


def _between_attachments(old: Any, new: Any) -> bool:
    return all(isinstance(each, Unknown) or _ATTACHMENT in str(each) for each in (old, new))


def _goes_back(old: Any, new: Any) -> bool:
    """Return whether a version goes back: it is upgraded in place alone."""
    return str(new) < str(old)


def _ends(old: Any, new: Any) -> bool:
    """Return whether what was on is off: it stays on."""
    return old is True and new is not True


def _loses_any(old: Any, new: Any) -> bool:
    """Return whether something of a list is gone: what was enabled stays enabled."""
    return not set(old or ()) <= set(new or ())


def _loses_columns(old: Any, new: Any) -> bool:
    """Columns are added in place, or dropped; a type stays, and a column gets optional alone."""
    try:
        return not _fits(json.loads(old), json.loads(new), top=True)
    except (KeyError, TypeError, ValueError):
        return False


def _fits(old: Any, new: Any, *, top: bool) -> bool:
    before, after = ({each.get("name"): each for each in columns} for columns in (old, new))
    dropped, added = before.keys() - after.keys(), after.keys() - before.keys()
    if dropped and (added or not top):
        return False
    return all(_same_column(before[name], after[name]) for name in before.keys() & after.keys())


def _same_column(old: Values, new: Values) -> bool:
    kinds = [ALIASES.get(str(each["type"]), each["type"]) for each in (old, new)]
    modes = tuple(each.get("mode") or "NULLABLE" for each in (old, new))
    return bool(
        kinds[0] == kinds[1]
        and (modes[0] == modes[1] or modes == ("REQUIRED", "NULLABLE"))
        and _fits(old.get("fields", []), new.get("fields", []), top=False)
    )


_CLUSTER: Final = "gcp:container/cluster:Cluster"
# What the provider's code decides by the values: google-beta/services/<service>/resource_*.go
_SPECIAL: Final[Mapping[tuple[str, str], Callable[[Any, Any], bool]]] = {
    ("gcp:compute/subnetwork:Subnetwork", "ipCidrRange"): _shrinks,
    ("gcp:compute/forwardingRule:ForwardingRule", "target"): _between_attachments,
    ("gcp:redis/instance:Instance", "redisVersion"): _goes_back,
    ("gcp:bigquery/table:Table", "schema"): _loses_columns,
    ("gcp:storage/bucket:Bucket", "retentionPolicy.isLocked"): _ends,
    (_CLUSTER, "enableL4IlbSubsetting"): _ends,
    (_CLUSTER, "enableFqdnNetworkPolicy"): _ends,
    (_CLUSTER, "enableK8sBetaApis.enabledApis"): _loses_any,
}
# What replaces beside a certain value of another property alone.
_BESIDE: Final[Mapping[tuple[str, str], tuple[str, Value]]] = {
    ("gcp:compute/forwardingRule:ForwardingRule", "allowGlobalAccess"): (
        "loadBalancingScheme",
        "INTERNAL_MANAGED",
    ),
    (_CLUSTER, "dnsConfig.additiveVpcScopeDnsDomain"): ("enableAutopilot", True),
}

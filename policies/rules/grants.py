"""Every way to grant access, brought to one shape.

The Google Cloud SDK has 158 resources each of the Member, Binding and Policy family, so they are
known by the pattern of their token, never by a list. A few older channels stand beside the family.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, UnknownValueError

from policies.rules.peek import UNKNOWN, Absence, Props, entries, is_mapping, peek, text
from policies.rules.rule import Resource

_FAMILY: Final = re.compile(
    r"gcp:(?P<service>[^:/]+)/[^:]+:(?P<target>[A-Za-z0-9]*?)I(?:am|AM)(?P<kind>Member|Binding|Policy)"
)
_WIDE: Final = {"projects": "project", "folder": "folder", "organizations": "organization"}


@dataclass(frozen=True)
class Grant:
    """A role given to members. What is wired from another resource is `UNKNOWN` in a preview."""

    role: str | Absence
    members: tuple[str | Absence, ...]


@dataclass(frozen=True)
class GrantType:
    """What a resource type of the Member, Binding and Policy family grants on, and how."""

    service: str
    kind: str

    @property
    def wide(self) -> str | None:
        """`project`, `folder` or `organization`, or None for a grant on a single resource."""
        return _WIDE.get(self.service)

    @property
    def on_service_account(self) -> bool:
        """Whether the grant is on one service account."""
        return self.service == "serviceaccount"


def grant_type(token: str) -> GrantType | None:
    """How a resource of this type token grants, None if it is not of the family."""
    match = _FAMILY.fullmatch(token)
    return GrantType(match["service"], match["kind"]) if match else None


def is_grant(token: str) -> bool:
    """Whether a resource of this type gives access, by the family or an older channel."""
    return grant_type(token) is not None or token in _CHANNELS


def is_wide(token: str) -> bool:
    """Whether a resource of this type grants on a whole project, folder or organization."""
    found = grant_type(token)
    return found is not None and found.wide is not None


def is_on_service_account(token: str) -> bool:
    """Whether a resource of this type grants on a service account."""
    found = grant_type(token)
    return found is not None and found.on_service_account


def grants(resource: Resource) -> Iterator[Grant]:
    """All grants a resource makes.

    A policy document that is not known yet raises `UnknownValueError`: the engine then says that
    the policy could not run in this preview, and runs it again, with the value, on update.
    """
    if resource.type in _CHANNELS:
        yield from _CHANNELS[resource.type](resource.props)
        return
    found = grant_type(resource.type)
    if found is None:
        return
    if found.kind == "Policy":
        yield from _document_grants(text(resource.props, "policyData"))
    elif found.kind == "Member":
        yield Grant(text(resource.props, "role"), (text(resource.props, "member"),))
    else:
        yield Grant(text(resource.props, "role"), _strings(resource.props, "members"))


def _strings(value: object, *path: str) -> tuple[str | Absence, ...]:
    found = entries(value, *path)
    if isinstance(found, Absence):
        return (found,)
    return tuple(each if isinstance(each, str) else UNKNOWN for each in found)


def _document_grants(document: str | Absence) -> Iterator[Grant]:
    try:
        parsed: object = json.loads(document) if isinstance(document, str) else None
    except (ValueError, RecursionError):
        parsed = None
    if not is_mapping(parsed):
        raise UnknownValueError(UNKNOWN_STRING_VALUE, ["policyData"])
    bindings = entries(parsed, "bindings")
    for binding in bindings if isinstance(bindings, tuple) else ():
        yield Grant(text(binding, "role"), _strings(binding, "members"))


def _acl_grants(props: Props) -> Iterator[Grant]:
    predefined = text(props, "predefinedAcl")
    if isinstance(predefined, str):
        public = _PREDEFINED_ACLS.get(predefined)
        if public:
            yield Grant(predefined, (public,))
    for entity in _strings(props, "roleEntities"):
        if isinstance(entity, str):
            role, _, member = entity.partition(":")
            yield Grant(role, (member,))


def _entity_grant(props: Props) -> Iterator[Grant]:
    yield Grant(text(props, "role"), (text(props, "entity"),))


def _dataset_grant(props: object) -> Iterator[Grant]:
    role = text(props, "role")
    yield Grant(role, (text(props, "iamMember"), text(props, "specialGroup")))
    for key, kind in _DATASET_MEMBERS.items():
        name = peek(props, key)
        if isinstance(name, str):
            yield Grant(role, (f"{kind}:{name}",))


def _dataset_grants(props: Props) -> Iterator[Grant]:
    found = entries(props, "accesses")
    for access in found if isinstance(found, tuple) else ():
        yield from _dataset_grant(access)


_DATASET_MEMBERS: Final[Mapping[str, str]] = {
    "domain": "domain",
    "userByEmail": "user",
    "groupByEmail": "group",
}
_PREDEFINED_ACLS: Final[Mapping[str, str]] = {
    "publicRead": "allUsers",
    "publicReadWrite": "allUsers",
    "authenticatedRead": "allAuthenticatedUsers",
}
_CHANNELS: Final[Mapping[str, Callable[[Props], Iterator[Grant]]]] = {
    "gcp:storage/bucketACL:BucketACL": _acl_grants,
    "gcp:storage/objectACL:ObjectACL": _acl_grants,
    "gcp:storage/defaultObjectACL:DefaultObjectACL": _acl_grants,
    "gcp:storage/bucketObject:BucketObject": _acl_grants,
    "gcp:storage/bucketAccessControl:BucketAccessControl": _entity_grant,
    "gcp:storage/objectAccessControl:ObjectAccessControl": _entity_grant,
    "gcp:storage/defaultObjectAccessControl:DefaultObjectAccessControl": _entity_grant,
    "gcp:bigquery/datasetAccess:DatasetAccess": _dataset_grant,
    "gcp:bigquery/dataset:Dataset": _dataset_grants,
}

"""Every way to grant access, brought to one shape.

The Google Cloud SDK has 158 resources each of the Member, Binding and Policy family, so they are
known by the pattern of their token, never by a list. A few older channels stand beside the family.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, UnknownValueError

from policies.access.principals import member
from resources.properties import (
    MISSING,
    UNKNOWN,
    Absence,
    Props,
    UnreadableError,
    entries,
    get,
    is_mapping,
    text,
)
from resources.resource import Resource

_FAMILY: Final = re.compile(
    r"gcp:(?P<service>[^:/]+)/[^:]+:(?P<target>[A-Za-z0-9]*?)I(?:am|AM)(?P<kind>Member|Binding|Policy)"
)
ENTITLEMENT: Final = "gcp:privilegedaccessmanager/entitlement:entitlement"
_ACCESS_POLICIES: Final = "accesscontextmanager"
_WIDE: Final = {"projects": "project", "folder": "folder", "organizations": "organization"}


@dataclass(frozen=True)
class Grant:
    """A role given to members. What is wired from another resource is `UNKNOWN` in a preview.

    Members are in the spelling of `principals.member`. `condition` is the expression of the
    grant's condition, `permissions` what is granted where that is no role.
    """

    role: str | Absence
    members: tuple[str | Absence, ...]
    condition: str | Absence = MISSING
    permissions: tuple[str, ...] = ()


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
    """Return how a resource of this type token grants, None if it is not of the family."""
    match = _FAMILY.fullmatch(token)
    return GrantType(match["service"], match["kind"]) if match else None


def is_grant(token: str) -> bool:
    """Return whether a resource of this type gives access, by the family or an older channel."""
    return grant_type(token) is not None or token in _CHANNELS


def is_wide(token: str) -> bool:
    """Return whether a resource of this type grants on a whole project, folder or organization."""
    found = grant_type(token)
    return found is not None and found.wide is not None


def reaches_far(token: str) -> bool:
    """Return whether a grant by this type is as one on a whole organization: an access policy
    holds all of its perimeters."""
    found = grant_type(token)
    return found is not None and (found.wide is not None or found.service == _ACCESS_POLICIES)


def is_on_service_account(token: str) -> bool:
    """Return whether a resource of this type grants on a service account."""
    found = grant_type(token)
    return found is not None and found.on_service_account


def grants(resource: Resource) -> Iterator[Grant]:
    """Yield all grants a resource makes.

    A policy document that is not known yet raises `UnknownValueError`: the engine then says that
    the policy could not run in this preview, and runs it again, with the value, on update. One
    that is known and is no policy document raises `UnreadableError`, which counts as a finding.
    """
    if resource.type in _CHANNELS:
        yield from _CHANNELS[resource.type](resource.props)
        return
    found = grant_type(resource.type)
    if found is None:
        return
    if found.kind == "Policy":
        yield from _document_grants(get(resource.props, "policyData"))
        return
    role, condition = _role(resource.props), text(resource.props, "condition", "expression")
    if found.kind == "Member":
        yield Grant(role, (_member(text(resource.props, "member")),), condition)
    else:
        yield Grant(role, _members(resource.props, "members"), condition)


def _role(value: object, *path: str) -> str | Absence:
    found = text(value, *(path or ("role",)))
    return found if isinstance(found, Absence) else found.strip()


def _member(value: str | Absence) -> str | Absence:
    return value if isinstance(value, Absence) else member(value)


def _members(value: object, *path: str) -> tuple[str | Absence, ...]:
    found = entries(value, *path)
    if isinstance(found, Absence):
        return (found,)
    return tuple(member(each) if isinstance(each, str) else UNKNOWN for each in found)


def _document_grants(document: object) -> Iterator[Grant]:
    if document is UNKNOWN:
        raise UnknownValueError(UNKNOWN_STRING_VALUE, ["policyData"])
    try:
        given = document if isinstance(document, str) else ""
        parsed: object = json.loads(given, object_pairs_hook=_lower_keys)
    except (ValueError, RecursionError):
        parsed = None
    if not is_mapping(parsed):
        raise UnreadableError("policyData")
    bindings = entries(parsed, "bindings")
    for binding in bindings if isinstance(bindings, tuple) else ():
        condition = text(binding, "condition", "expression")
        yield Grant(_role(binding), _members(binding, "members"), condition)


def _lower_keys(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    """Return keys in lower case, as the provider, written in Go, takes `Bindings` for
    `bindings`."""
    found: dict[str, object] = {}
    for key, value in pairs:
        if key.lower() in found:
            raise ValueError(f"{key} is there twice")
        found[key.lower()] = value
    return found


def _acl_grants(props: Props) -> Iterator[Grant]:
    predefined = text(props, "predefinedAcl")
    if isinstance(predefined, str):
        public = _PREDEFINED_ACLS.get(predefined.strip().lower())
        if public:
            yield Grant(predefined, (public,))
    found = entries(props, "roleEntities")
    for entity in found if isinstance(found, tuple) else (found,):
        if isinstance(entity, str):
            role, _, who = entity.partition(":")
            yield Grant(role.strip().upper(), (member(who),))
        elif entity is UNKNOWN:
            yield Grant(UNKNOWN, (UNKNOWN,))


def _entity_grant(props: Props) -> Iterator[Grant]:
    yield Grant(_role(props), (_member(text(props, "entity")),))


def _dataset_grant(props: object) -> Iterator[Grant]:
    role, condition = _role(props), text(props, "condition", "expression")
    for key, prefix in _DATASET_MEMBERS.items():
        name = text(props, key)
        if isinstance(name, str):
            special = _SPECIAL_GROUPS.get(name) if key == "specialGroup" else None
            yield Grant(role, (special or member(f"{prefix}{name}"),), condition)
        elif name is UNKNOWN:
            yield Grant(role, (UNKNOWN,), condition)


def _dataset_grants(props: Props) -> Iterator[Grant]:
    found = entries(props, "accesses")
    if found is UNKNOWN:
        yield Grant(UNKNOWN, (UNKNOWN,))
    for access in found if isinstance(found, tuple) else ():
        if access is UNKNOWN:
            yield Grant(UNKNOWN, (UNKNOWN,))
        else:
            yield from _dataset_grant(access)


def _grantees(role: str) -> Callable[[Props], Iterator[Grant]]:
    def found(props: Props) -> Iterator[Grant]:
        if get(props, "grantees") is not MISSING:
            yield Grant(role, _members(props, "grantees"))

    return found


def short_name(permission: str) -> str:
    """Return a permission as roles write it: `iam.roles.list` for
    `iam.googleapis.com/roles.list`."""
    service, slash, name = permission.strip().partition(".googleapis.com/")
    return f"{_SERVICES.get(service, service)}.{name}" if slash else permission.strip()


def _access_policy(props: Props) -> Iterator[Grant]:
    rules = entries(props, "details", "rules")
    for rule in rules if isinstance(rules, tuple) else (rules,):
        if text(rule, "effect") == "DENY" or rule is MISSING:
            continue
        names = entries(rule, "operation", "permissions")
        known = names if isinstance(names, tuple) else ()
        yield Grant(
            "an access policy",
            _members(rule, "principals"),
            permissions=tuple(short_name(each) for each in known if isinstance(each, str)),
        )


def _entitlement(props: Props) -> Iterator[Grant]:
    groups = entries(props, "eligibleUsers")
    who = tuple(
        each
        for group in (groups if isinstance(groups, tuple) else (groups,))
        for each in _members(group, "principals")
    )
    access = get(props, "privilegedAccess", "gcpIamAccess")
    bindings = entries(access, "roleBindings")
    for binding in bindings if isinstance(bindings, tuple) else (bindings,):
        yield Grant(_role(binding), who, text(binding, "conditionExpression"))


# Services whose permissions begin with another word than their address.
_SERVICES: Final[Mapping[str, str]] = {
    "cloudresourcemanager": "resourcemanager",
    "bigquerydatapolicy": "bigquery",
}
_DATASET_MEMBERS: Final[Mapping[str, str]] = {
    "iamMember": "",
    "specialGroup": "",
    "domain": "domain:",
    "userByEmail": "user:",
    "groupByEmail": "group:",
}
_SPECIAL_GROUPS: Final[Mapping[str, str]] = {
    "projectOwners": "projectOwner:",
    "projectReaders": "projectViewer:",
    "projectWriters": "projectEditor:",
}
_PREDEFINED_ACLS: Final[Mapping[str, str]] = {
    "publicread": "allUsers",
    "publicreadwrite": "allUsers",
    "authenticatedread": "allAuthenticatedUsers",
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
    "gcp:bigquery/rowAccessPolicy:RowAccessPolicy": _grantees("roles/bigquery.filteredDataViewer"),
    "gcp:bigquery/datapolicyv2DataPolicy:Datapolicyv2DataPolicy": _grantees(
        "roles/bigquerydatapolicy.maskedReader"
    ),
    "gcp:iam/folderAccessPolicy:FolderAccessPolicy": _access_policy,
    "gcp:iam/organizationAccessPolicy:OrganizationAccessPolicy": _access_policy,
    "gcp:iam/projectAccessPolicy:ProjectAccessPolicy": _access_policy,
    ENTITLEMENT: _entitlement,
}

"""What principals hold through Google Cloud: IAM, access lists, and checks turned off."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy.proxy import UnknownValueError

from policies.access.capabilities import Capabilities, of_permissions, of_role
from policies.access.grants import Grant, grant_type, grants, is_grant
from policies.access.model import UNKNOWN_PRINCIPAL, RoleAssignment, Scope, principal
from resources.properties import (
    MISSING,
    Absence,
    Props,
    UnreadableError,
    entries,
    flag,
    get,
    is_mapping,
    show,
    text,
)
from resources.resource import Resource, Stack

ACCOUNT: Final = "gcp:serviceaccount/account:Account"
IDENTITY: Final = "gcp:projects/serviceIdentity:ServiceIdentity"
CUSTOM_ROLES: Final = (
    "gcp:projects/iAMCustomRole:IAMCustomRole",
    "gcp:organizations/iAMCustomRole:IAMCustomRole",
)
_CUSTOM: Final = re.compile(r"(?:projects|organizations)/[^/]+/roles/([A-Za-z0-9_.]{3,64})")
_SERVICE: Final = "gcp:cloudrunv2/service:Service"
# The properties that name who is granted something.
_WHO: Final = (
    "member",
    "members",
    "policyData",
    "entity",
    "roleEntities",
    "iamMember",
    "userByEmail",
    "groupByEmail",
    "accesses",
    "grantees",
    "details",
)
_IAM: Final = re.compile("I(?:AM|am)(?:Member|Binding|Policy)")
_SUFFIX: Final = re.compile("(?:I(?:AM|am))?(?:Member|Binding|Policy)")
_NOT_TARGETS: Final = frozenset(
    {*_WHO, "role", "project", "location", "region", "zone", "parent", "condition", "etag"}
)
_KEY: Final = re.compile("(?:Id|Name)$")
# What a type grants on whose name doesn't say it, and words that stand for something else alone.
_KIND: Final[Mapping[str, str]] = {
    "bigquery/iam": "table",
    "billing/account": "billing account",
    "cloudrun/iam": "service",
    "dataproc/cluster": "Dataproc cluster",
    "servicedirectory/namespace": "Service Directory namespace",
}
_NAME: Final = re.compile(r"[A-Za-z0-9][\w.@-]{0,99}")
_WIDE_NAMES: Final[Mapping[str, str]] = {
    "project": "project",
    "folder": "folder",
    "organization": "orgId",
}
# APIs that are turned on first tell nothing of who is meant.
_FIRST: Final = frozenset({IDENTITY, "gcp:projects/service:Service"})
_SOURCES: Final = 2


class Accounts:
    """The service accounts of the stack, under one name each."""

    def __init__(self, stack: Stack) -> None:
        self.by_urn: dict[str, str] = {}
        self.by_email: dict[str, str] = {}
        self._by_id: dict[str, str] = {}
        for each in stack.by_type.get(ACCOUNT, ()):
            email = _email(each)
            who = f"serviceAccount:{email}" if email else f"account:{each.name}"
            self.by_urn[each.urn] = who
            name = text(each.props, "accountId")
            if email:
                self.by_email[email] = who
            elif isinstance(name, str):
                # Its project is that of the provider, which is not seen here.
                self._by_id[name.lower()] = who
        for each in stack.by_type.get(IDENTITY, ()):
            self.by_urn[each.urn] = f"agent:{each.name}"

    @property
    def all(self) -> frozenset[str]:
        """Every account that the stack makes."""
        return frozenset(self.by_urn.values())

    def named(self, email: str) -> str:
        """Return the account of an email, whether the stack makes it or not."""
        plain = email.strip().rpartition("/")[2].lower()
        name = plain.partition("@")[0]
        return self.by_email.get(plain) or self._by_id.get(name) or f"serviceAccount:{plain}"

    def wired(self, resource: Resource, *props: str) -> list[str]:
        """Return the accounts that properties of a resource come from."""
        urns = [urn for prop in props for urn in resource.dependencies.get(prop, ())]
        return list(dict.fromkeys(self.by_urn[urn] for urn in urns if urn in self.by_urn))


def _email(account: Resource) -> str | None:
    email = text(account.props, "email")
    if isinstance(email, str) and email:
        return email.lower()
    name, project = text(account.props, "accountId"), text(account.props, "project")
    if isinstance(name, str) and isinstance(project, str) and name and project:
        return f"{name}@{project}.iam.gserviceaccount.com".lower()
    return None


def role_assignments(stack: Stack, accounts: Accounts) -> Iterator[RoleAssignment]:
    """Yield everything that principals hold through Google Cloud in the stack."""
    custom = _custom_roles(stack)
    for token, resources in stack.by_type.items():
        if not is_grant(token):
            continue
        for resource in resources:
            yield from _granted(resource, stack, accounts, custom)
    for service in stack.by_type.get(_SERVICE, ()):
        if flag(service.props, "invokerIamDisabled") is True:
            open_scope = Scope("service", service.name)
            yield RoleAssignment("allUsers", "invoker check off", frozenset({"invoke"}), open_scope)


def _granted(
    resource: Resource,
    stack: Stack,
    accounts: Accounts,
    custom: Mapping[str, Capabilities | None],
) -> Iterator[RoleAssignment]:
    scope = _scope(resource, stack)
    on = _accounts_of(resource, accounts) if scope.kind == "service account" else frozenset[str]()
    kind = grant_type(resource.type)
    takes_conditions = kind is not None and kind.kind != "Policy"
    conditional = takes_conditions and is_mapping(get(resource.props, "condition"))
    try:
        made = list(grants(resource))
    except (UnknownValueError, UnreadableError):
        source = _source(resource, stack)
        yield RoleAssignment(UNKNOWN_PRINCIPAL, "a policy document", None, scope, source=source)
        return
    for grant in made:
        capabilities = _capabilities(grant, resource, custom)
        limited = conditional or grant.condition is not MISSING
        for member in grant.members:
            for who in _principals(member, resource, accounts):
                role = "an access policy" if grant.permissions else _role(grant, resource, stack)
                source = _source(resource, stack) if who == UNKNOWN_PRINCIPAL else ""
                yield RoleAssignment(who, role, capabilities, scope, limited, on, source)


def _source(resource: Resource, stack: Stack) -> str:
    """Return what those come from whom a grant names, by their names in the program."""
    urns = dict.fromkeys(urn for prop in _WHO for urn in resource.dependencies.get(prop, ()))
    made = [stack.by_urn[urn] for urn in urns if urn in stack.by_urn]
    told = [
        f"{each.type.rpartition(':')[2]} {each.name}" for each in made if each.type not in _FIRST
    ]
    return " and ".join(sorted(told)[:_SOURCES]) or f"the grant {resource.name}"


def _principals(member: str | Absence, resource: Resource, accounts: Accounts) -> list[str]:
    if member is Absence.MISSING:
        return []
    if isinstance(member, str):
        who = principal(member)
        if who.startswith("serviceAccount:") and "@" in who:
            who = accounts.named(who.removeprefix("serviceAccount:"))
        return [who]
    return accounts.wired(resource, *_WHO) or [UNKNOWN_PRINCIPAL]


def _capabilities(
    grant: Grant, resource: Resource, custom: Mapping[str, Capabilities | None]
) -> Capabilities | None:
    if grant.permissions:
        wild = any("*" in each for each in grant.permissions)
        return None if wild else of_permissions(grant.permissions)
    role = grant.role
    if isinstance(role, str):
        known = of_role(role)
        return known if known is not None else custom.get(role, custom.get(_role_id(role)))
    for urn in resource.dependencies.get("role", ()):
        if urn in custom:
            return custom[urn]
    return None


def _role_id(role: str) -> str:
    """Return a custom role without its project, which may be that of the provider."""
    return f"*/{role.rpartition('/')[2]}"


def _custom_roles(stack: Stack) -> dict[str, Capabilities | None]:
    """Return what the custom roles of the stack let their holders do, by URN and by name."""
    found: dict[str, Capabilities | None] = {}
    for token in CUSTOM_ROLES:
        for role in stack.by_type.get(token, ()):
            permissions = entries(role.props, "permissions")
            names = [each for each in _tuple(permissions) if isinstance(each, str)]
            known = isinstance(permissions, tuple) and len(names) == len(permissions)
            value = of_permissions(names) if known else None
            found[role.urn] = value
            name = text(role.props, "name")
            if isinstance(name, str):
                found[name] = value
            project, role_id = text(role.props, "project"), text(role.props, "roleId")
            if isinstance(project, str):
                found[f"projects/{project}/roles/{role_id}"] = value
            if isinstance(role_id, str):
                found[_role_id(role_id)] = value
    return found


def _tuple(value: tuple[object, ...] | Absence) -> tuple[object, ...]:
    return () if isinstance(value, Absence) else value


def _scope(resource: Resource, stack: Stack) -> Scope:
    kind = grant_type(resource.type)
    if kind is not None and kind.wide:
        return Scope(kind.wide, _literal(resource.props, _WIDE_NAMES[kind.wide]))
    if resource.type.endswith("AccessPolicy") and resource.type.startswith("gcp:iam/"):
        return Scope("project")
    if kind is not None and kind.on_service_account:
        return Scope("service account", _target(resource, stack))
    return Scope(_kind(resource.type), _target(resource, stack))


def _kind(token: str) -> str:
    known = _KIND.get(_SUFFIX.sub("", token.split(":")[1]))
    if known:
        return known
    name = token.rpartition(":")[2]
    for suffix in ("Member", "Binding", "Policy"):
        name = name.removesuffix(suffix)
    name = name.removesuffix("IAM").removesuffix("Iam") or token.split(":")[1].split("/")[0]
    return "".join(f" {each.lower()}" if each.isupper() else each for each in name).strip()


def _target(resource: Resource, stack: Stack) -> str:
    """Return the name in the program of what is granted on, or its own where it isn't wired.

    The grant may wait for more than that: then it is what the grant's type is named after. Where
    neither tells, it is the name of the grant itself.
    """
    wired = [
        stack.by_urn[urn]
        for prop, urns in sorted(resource.dependencies.items())
        if prop not in _NOT_TARGETS
        for urn in urns
        if urn in stack.by_urn and grant_type(stack.by_urn[urn].type) is None
    ]
    granted = _IAM.sub("", resource.type)
    found = [each for each in wired if each.type == granted] or wired
    if found or grant_type(resource.type) is None:
        return found[0].name if found else resource.name
    return _named(resource) or resource.name


def _named(grant: Resource) -> str:
    """Return what a grant is on by the property that is called as its kind, or by the only one."""
    kind = _kind(grant.type).replace(" ", "").lower()
    keys = (key for key in [*grant.props] if key not in _NOT_TARGETS)
    names = {key: name for key in keys if (name := _literal(grant.props, key))}
    for key, name in names.items():
        called = _KEY.sub("", key).lower()
        if kind.endswith(called) or called.endswith(kind):
            return name
    return names.get("name") or (next(iter(names.values())) if len(names) == 1 else "")


def _literal(props: Props, key: str) -> str:
    """Return the end of a name that a property has, empty where it has none."""
    found = text(props, key)
    name = found.rpartition("/")[2] if isinstance(found, str) else ""
    return name if _NAME.fullmatch(name) else ""


def _accounts_of(resource: Resource, accounts: Accounts) -> frozenset[str]:
    named = text(resource.props, "serviceAccountId")
    if isinstance(named, str):
        return frozenset({accounts.named(named)})
    return frozenset(accounts.wired(resource, "serviceAccountId"))


def _role(grant: Grant, resource: Resource, stack: Stack) -> str:
    """Return a role as messages have it: one of the project's own by its id, or by its name in
    the program where that isn't known yet."""
    role = grant.role
    custom = _CUSTOM.fullmatch(role) if isinstance(role, str) else None
    if custom:
        return f"custom role {custom[1]}"
    if role is Absence.UNKNOWN:
        made = (stack.by_urn.get(urn) for urn in resource.dependencies.get("role", ()))
        for each in made:
            if each and each.type in CUSTOM_ROLES:
                return f"custom role {_literal(each.props, 'roleId') or each.name}"
    return show(role)

"""Who may do what in a world, by its own IAM resources."""

from collections.abc import Collection, Iterable, Iterator

from catalog.conventions import EVERY_ACCOUNT, EVERYONE
from catalog.needs import roles_with
from sandbox.gcp.naming import last_segment
from sandbox.gcp.rows import grants
from sandbox.values import Values
from sandbox.world import CloudResource, World

_CUSTOM_ROLE = "gcp:projects/iAMCustomRole:IAMCustomRole"
_SERVICE_ACCOUNTS = ".gserviceaccount.com"
_SINGLE = ("serviceAccount:", "user:")
_KINDS = ("serviceAccount:", "user:", "group:")


def may(
    world: World,
    account: str | None,
    permission: str,
    *resources: str,
    groups: Collection[str] = (),
) -> bool:
    """Return whether an account may do something, by a grant on any of the resources.

    `account` is an email, or None for a caller nobody knows, and `groups` are its groups' members,
    `group:<email>`: a world knows of none. `resources` are ids, from the thing itself up to its
    project. A grant with a condition counts for nothing: conditions are not
    evaluated here.
    """
    known = {EVERYONE} if account is None else {EVERYONE, EVERY_ACCOUNT, _member(account), *groups}
    return any(
        member in known and _holds(world, role, permission)
        for role, member in grants_on(world, resources)
    )


def might(world: World, account: str, permission: str, *resources: str) -> bool:
    """Return whether an account may do something, as far as a world can tell: also by a grant with
    a condition, and by one to a group, a domain or the like that it may belong to."""
    mine = _member(account)
    return any(
        (member == mine or not member.startswith(_SINGLE)) and _holds(world, role, permission)
        for role, member in grants_on(world, resources, conditional=True)
    )


def members_that_may(world: World, permission: str, *resources: str) -> list[str]:
    """Return the accounts and groups that may do something by a grant of their own, as
    `kind:email`."""
    return [
        member
        for role, member in grants_on(world, resources)
        if member.startswith(_KINDS) and _holds(world, role, permission)
    ]


def grants_on(
    world: World, resources: Iterable[str], *, conditional: bool = False
) -> Iterator[tuple[str, str]]:
    """Yield the role and the member of every grant on any of the resources, of those with a
    condition only where asked for."""
    wanted = set(resources)
    for grant in world.of_types(grants()):
        if _resource(grant) in wanted and (conditional or not grant.inputs.get("condition")):
            members = grant.inputs.get("members") or [grant.inputs.get("member")]
            yield from ((grant.inputs["role"], str(member)) for member in members)


def _member(account: str) -> str:
    kind = "serviceAccount" if account.endswith(_SERVICE_ACCOUNTS) else "user"
    return f"{kind}:{account}"


def _resource(grant: CloudResource) -> str:
    prop, target = grants()[grant.type]
    named = str(grant.inputs.get(prop, ""))
    if named.startswith("projects/"):
        return named
    inputs: Values = {"project": grant.project, **grant.inputs, "value": named}
    return target.format_map({key: last_segment(str(value)) for key, value in inputs.items()})


def _holds(world: World, role: str, permission: str) -> bool:
    if role.startswith("roles/"):
        return role.removeprefix("roles/") in roles_with(permission)
    custom = world.get(_CUSTOM_ROLE, role)
    return custom is not None and permission in custom.inputs.get("permissions", ())

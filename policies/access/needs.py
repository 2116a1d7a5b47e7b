"""What the identities of a stack must be able to do, against what it grants them.

The needs are those of `catalog/needs.yaml`. People and accounts of elsewhere may need what no stack
shows, so that only Google's agents, the stack's own service accounts and its pods are judged.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, cast

from catalog.needs import ANY, Kind, Need, agents, asked_for, kinds, needs, roles_with
from policies.access.cloud import CUSTOM_ROLES, IDENTITY, Accounts
from policies.access.grants import grant_type, grants
from policies.access.model import principal
from resources.pods import makes_pods, pod_specs
from resources.properties import (
    EACH,
    MISSING,
    UNKNOWN,
    Absence,
    Props,
    all_at,
    elements,
    get,
    is_sequence,
    search,
    text,
)
from resources.resource import Resource, Stack, stack_of

_CLUSTER: Final = "gcp:container/cluster:Cluster"
_PROVIDER: Final = "pulumi:providers:kubernetes"
_NODE_POOL: Final = "gcp:container/nodePool:NodePool"
_COMPONENT: Final = "inference:index:"
_PROJECT: Final = "project"
_AGENT: Final = re.compile(r"serviceAccount:[^@]+@([a-z0-9-]+)\.iam\.gserviceaccount\.com")
_GRANT: Final = re.compile(r"(gcp:[^:/]+/[A-Za-z0-9]*?)[Ii](?:am|AM)(?:Member|Binding):")
# What else a grant on the first covers.
_WITHIN: Final[Mapping[str, str]] = {"dataset": "table"}


@dataclass(frozen=True)
class Wanted:
    """A need of one identity, on one thing. Either is None where it isn't known yet."""

    need: Need
    principal: str | None
    target: str | None
    """Its name; empty for the project."""
    resource: Resource = field(compare=False)

    @property
    def on(self) -> str:
        """What it is on, as a message says it."""
        return f"{self.need.on} {self.target}".strip()


@dataclass(frozen=True)
class Granted:
    """A role that the stack gives. Who has it and on what is None where it isn't known yet."""

    resource: Resource
    role: str
    permissions: frozenset[str] | None
    """Those of a custom role; None for a predefined one."""
    principal: str | None
    kind: str
    target: str | None

    def gives(self, permission: str) -> bool:
        """Return whether the role holds a permission."""
        if self.permissions is not None:
            return permission in self.permissions
        return self.role.removeprefix("roles/") in roles_with(permission)

    def serves(self, wanted: Wanted) -> bool:
        """Return whether it is given to the identity of a need, on what that is on."""
        if None not in (self.principal, wanted.principal) and self.principal != wanted.principal:
            return False
        if self.kind == _PROJECT or self.target is None or wanted.target is None:
            return True
        if self.kind == wanted.need.on:
            return self.target == wanted.target
        within = _WITHIN.get(self.kind) == wanted.need.on
        return within and wanted.target.startswith(f"{self.target}.")


class Balance:
    """The needs of a stack and its grants."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._accounts = Accounts(stack)
        self._values: dict[tuple[str, str], Sequence[object]] = {}

    @cached_property
    def wanted(self) -> Sequence[Wanted]:
        """Every need of the stack."""
        found = dict.fromkeys(
            each
            for need in needs()
            for resource in self._stack.by_type.get(need.of, ())
            if need.component in (ANY, *components_of(resource))
            for each in self._wanted(need, resource)
        )
        return tuple(found)

    @cached_property
    def granted(self) -> Sequence[Granted]:
        """Every grant on what needs are on."""
        return tuple(each for resource in self._stack for each in self._granted(resource))

    def judged(self, grant: Granted) -> bool:
        """Return whether all that needs a grant can be seen in the stack."""
        who = grant.principal or ""
        own = who in self._accounts.all or who.startswith("pod:")
        known = own or who.partition(":")[2] in agents()
        return known and not any(grant.kind in each for each in asked(grant.resource).values())

    def missing(self) -> Iterator[tuple[Wanted, Sequence[str]]]:
        """Yield each need that no grant serves, with the permissions that are missing."""
        for wanted in self.wanted:
            if wanted.principal is None or wanted.target is None:
                continue
            serving = [each for each in self.granted if each.serves(wanted)]
            left = [each for each in wanted.need.may if not any(one.gives(each) for one in serving)]
            if left:
                yield wanted, left

    def surplus(self) -> Iterator[tuple[Granted, Sequence[str]]]:
        """Yield each grant that nothing needs; of a custom role the permissions that are too
        many."""
        for grant in self.granted:
            if not self.judged(grant):
                continue
            served = [each for each in self.wanted if grant.serves(each)]
            used = {each for one in served for each in one.need.may if grant.gives(each)}
            more = sorted((grant.permissions or frozenset()) - used)
            if more or not used:
                yield grant, more

    def _wanted(self, need: Need, resource: Resource) -> Iterator[Wanted]:
        if need.at and get(resource.props, *need.at.split(".")) in (MISSING, False):
            return
        for who in self._identities(need, resource):
            for target in self._targets(need, resource):
                yield Wanted(need, who, target, resource)

    def _identities(self, need: Need, resource: Resource) -> Iterator[str | None]:
        kind, _, rest = need.who.partition(":")
        if kind == "agent":
            yield need.who
        elif kind == "pod":
            yield from _pods(resource)
        elif kind == "nodes":
            yield from self._nodes(resource)
        else:
            yield from self._account(resource, rest)

    def _account(self, resource: Resource, path: str) -> Iterator[str | None]:
        steps = path.split(".")
        found = text(resource.props, *steps)
        if resource.urn in self._accounts.by_urn:
            yield self._accounts.by_urn[resource.urn]
        elif isinstance(found, str):
            yield self._named(found)
        elif found is not MISSING:
            yield from self._accounts.wired(resource, steps[0]) or [None]

    def _named(self, member: str) -> str:
        who = principal(member if ":" in member else f"serviceAccount:{member}")
        agent = _AGENT.fullmatch(who)
        if agent and agent[1] in agents():
            return f"agent:{agent[1]}"
        if who.startswith("serviceAccount:") and "@" in who:
            return self._accounts.named(who.removeprefix("serviceAccount:"))
        return who

    def _nodes(self, resource: Resource) -> Iterator[str | None]:
        """Yield whom nodes run as: those of an object's cluster, of all where it isn't known."""
        provider = self._stack.by_urn.get(resource.provider)
        clusters = frozenset(provider.dependencies.get("kubeconfig", ()) if provider else ())
        for pool in self._stack.by_type.get(_NODE_POOL, ()):
            within = frozenset(pool.dependencies.get("cluster", ()))
            # A cluster that is not of the stack is known by a pool that its objects wait for.
            within = within or self._awaited & {pool.urn}
            if not clusters or not within or clusters & within:
                yield from self._account(pool, "nodeConfig.serviceAccount")

    @cached_property
    def _awaited(self) -> frozenset[str]:
        """What the kubeconfigs of all providers come from."""
        providers = self._stack.by_type.get(_PROVIDER, ())
        return frozenset(
            urn for each in providers for urn in each.dependencies.get("kubeconfig", ())
        )

    def _targets(self, need: Need, resource: Resource) -> Iterator[str | None]:
        if need.matching:
            found = self._matched(need, resource)
            # What matches is first, what isn't known last.
            yield from found if need.on != _PROJECT else [each and "" for each in found[:1]]
        elif need.on == _PROJECT:
            yield ""
        elif resource.type == kinds()[need.on].type:
            yield _name(resource, kinds()[need.on])
        else:
            yield from self._of_property(need, resource)

    def _of_property(self, need: Need, resource: Resource) -> Iterator[str | None]:
        steps = need.named.split(".")
        values = [each for each in all_at(resource.props, steps) if each is not MISSING]
        wired = self._wired(resource, steps[0], kinds()[need.on])
        if EACH not in steps and len(wired) == 1:
            yield wired[0]
            return
        names = [each for each in values if isinstance(each, str) and "://" not in each]
        yield from (_last(need.on, each) for each in names)
        if len(names) < len(values):
            # An address, or what isn't known yet.
            yield from wired or [None]

    def _matched(self, need: Need, resource: Resource) -> Sequence[str | None]:
        below = self._below(resource, need.named)
        pattern = re.compile(need.matching.replace("{project}", re.escape(self._project)))
        matched: list[str | None] = [
            match[match.re.groups]
            for each in below
            if isinstance(each, str)
            for match in pattern.finditer(each)
        ]
        return [*matched, None] if UNKNOWN in below else matched

    def _below(self, resource: Resource, path: str) -> Sequence[object]:
        """Return what is at a path of a resource and below it, read once for all needs."""
        key = resource.urn, path
        if key not in self._values:
            self._values[key] = _below(get(resource.props, *path.split(".") if path else ()))
        return self._values[key]

    @cached_property
    def _project(self) -> str:
        """The project of the clusters, none where it isn't known."""
        within = (*self._stack.by_type.get(_CLUSTER, ()), *self._stack.by_type.get(_NODE_POOL, ()))
        found = (text(each.props, _PROJECT) for each in within)
        return next((each for each in found if isinstance(each, str)), "/")

    def _wired(self, resource: Resource, prop: str, kind: Kind) -> Sequence[str]:
        found = (self._stack.by_urn.get(urn) for urn in resource.dependencies.get(prop, ()))
        made = [each for each in found if each is not None and each.type == kind.type]
        return [_name(each, kind) for each in made]

    def _granted(self, resource: Resource) -> Iterator[Granted]:
        if grant_type(resource.type) is None:
            return
        match = _GRANT.match(resource.type)
        for name, kind in kinds().items():
            if match and match[1] == kind.grants:
                role, permissions = self._role(resource)
                target = "" if name == _PROJECT else self._target(resource, name, kind)
                for grant in grants(resource):
                    for member in grant.members:
                        who = self._member(resource, member)
                        yield Granted(resource, role, permissions, who, name, target)

    def _member(self, resource: Resource, member: str | Absence) -> str | None:
        if isinstance(member, str):
            return self._named(member)
        for urn in resource.dependencies.get("member", ()):
            source = self._stack.by_urn.get(urn)
            if source is not None and source.type == IDENTITY:
                api = text(source.props, "service")
                return next((f"agent:{each}" for each, one in agents().items() if one == api), None)
            if urn in self._accounts.by_urn:
                return self._accounts.by_urn[urn]
        return None

    def _role(self, resource: Resource) -> tuple[str, frozenset[str] | None]:
        role = text(resource.props, "role")
        name = role if isinstance(role, str) else ""
        if name.startswith("roles/"):
            return name, None
        for each in (each for token in CUSTOM_ROLES for each in self._stack.by_type.get(token, ())):
            known = name and name.rpartition("/")[2] == text(each.props, "roleId")
            if known or each.urn in resource.dependencies.get("role", ()):
                given = elements(each.props, "permissions")
                return each.name, frozenset(one for one in given if isinstance(one, str))
        return name, frozenset()

    def _target(self, resource: Resource, name: str, kind: Kind) -> str | None:
        wired = self._wired(resource, kind.by[-1], kind)
        if wired:
            return wired[0]
        parts = [text(resource.props, each) for each in kind.by]
        known = all(isinstance(each, str) for each in parts)
        return _last(name, ".".join(map(str, parts))) if known else None


def components_of(resource: Resource) -> Sequence[str]:
    """Return the platform's components that a resource is within, by its URN."""
    within = [each for part in resource.urn.split("::")[2:3] for each in part.split("$")]
    return [each.removeprefix(_COMPONENT) for each in within if each.startswith(_COMPONENT)]


def asked(grant: Resource) -> Mapping[str, Mapping[str, str]]:
    """Return the rows of grants that nothing of the stack needs that speak of a grant."""
    components = components_of(grant)
    found = asked_for(by="component").items()
    named = asked_for(by="name").items() if not components else ()
    return {
        **{each: kinds for each, kinds in found if each in components},
        **{part: kinds for part, kinds in named if part in grant.name},
    }


def balance_of(resources: Sequence[Resource]) -> Balance:
    """Return the needs and grants of a stack, worked out once."""
    stack = stack_of(resources)
    if "needs" not in stack.shared:
        stack.shared["needs"] = Balance(stack)
    return cast("Balance", stack.shared["needs"])


def _name(resource: Resource, kind: Kind) -> str:
    """Return its name; one that isn't known yet is that in the program."""
    parts = [text(resource.props, each) for each in kind.name]
    known = all(isinstance(each, str) for each in parts)
    return ".".join(map(str, parts)) if known else resource.name


def _last(kind: str, value: str) -> str:
    """Return the name that ends a path or begins an e-mail; of a table with its dataset."""
    if kind == "table":
        return ".".join([each for each in re.split("[/.:]", value) if each != "tables"][-2:])
    last = value.rpartition("/")[2]
    return last.partition("@")[0] if kind == "account" else last


def _pods(resource: Resource) -> Iterator[str]:
    namespace = text(resource.props, "metadata", "namespace")
    if makes_pods(resource.type):
        specs = pod_specs(resource.type, resource.props)
        names = [text(spec, "serviceAccountName") for spec in specs]
    else:
        # What stands beside the pods of a component has the name of their account.
        names = [text(resource.props, "metadata", "name")]
    for name in dict.fromkeys(names):
        if isinstance(name, str) and isinstance(namespace, str):
            yield f"pod:{namespace}/{name}"


def _below(value: object) -> Sequence[object]:
    """Return a value, with every property and every element of a list below it."""
    found: list[object] = []

    def keep(_name: str, inner: object, _holder: Props) -> Sequence[object] | None:
        found.append(inner)
        found.extend(elements(inner) if is_sequence(inner) else ())
        return None

    # It yields nothing: what it visits is kept on the way.
    tuple(search({"": value}, keep))
    return found

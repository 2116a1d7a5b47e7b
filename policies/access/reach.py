"""Who can become whom, and what everyone may do in the end.

Only this stack is seen: neither grants inherited from folders and the organization, nor those of
other stacks, nor those made by hand.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, cast

from policies.access import cloud, cluster
from policies.access.model import (
    UNKNOWN_NAMESPACE,
    UNKNOWN_PRINCIPAL,
    RoleAssignment,
    is_account,
    is_agent,
    namespace_of,
    principal,
    shown,
)
from policies.shared.rule import Table
from resources.properties import MISSING, UNKNOWN, entries, flag, text
from resources.resource import Resource, Stack, stack_of

# The properties that name what a workload runs as, and the way to its network settings.
RUNS_AS: Final[Mapping[str, tuple[str | int, ...]]] = {
    "gcp:cloudfunctionsv2/function:Function": ("serviceConfig", "serviceAccountEmail"),
    "gcp:cloudrun/service:Service": ("template", "spec", "serviceAccountName"),
    "gcp:cloudrunv2/job:Job": ("template", "template", "serviceAccount"),
    "gcp:cloudrunv2/service:Service": ("template", "serviceAccount"),
    "gcp:cloudrunv2/workerPool:WorkerPool": ("template", "serviceAccount"),
    "gcp:compute/instance:Instance": ("serviceAccount", "email"),
    "gcp:compute/instanceTemplate:InstanceTemplate": ("serviceAccount", "email"),
    "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate": ("serviceAccount", "email"),
    "gcp:dataflow/flexTemplateJob:FlexTemplateJob": ("serviceAccountEmail",),
    "gcp:workbench/instance:Instance": ("gceSetup", "serviceAccounts", 0, "email"),
    "gcp:workflows/workflow:Workflow": ("serviceAccount",),
}
# What keeps the traffic of a workload in the VPC: a property, and the value it must have.
_EGRESS: Final[Mapping[str, tuple[tuple[str, ...], str]]] = {
    "gcp:cloudfunctionsv2/function:Function": (
        ("serviceConfig", "vpcConnectorEgressSettings"),
        "ALL_TRAFFIC",
    ),
    "gcp:cloudrun/service:Service": (
        ("template", "metadata", "annotations", "run.googleapis.com/vpc-access-egress"),
        "all-traffic",
    ),
    "gcp:cloudrunv2/job:Job": (("template", "template", "vpcAccess", "egress"), "ALL_TRAFFIC"),
    "gcp:cloudrunv2/service:Service": (("template", "vpcAccess", "egress"), "ALL_TRAFFIC"),
    "gcp:cloudrunv2/workerPool:WorkerPool": (("template", "vpcAccess", "egress"), "ALL_TRAFFIC"),
    "gcp:dataflow/flexTemplateJob:FlexTemplateJob": (("ipConfiguration",), "WORKER_IP_PRIVATE"),
}
_MACHINES: Final = (
    "gcp:compute/instance:Instance",
    "gcp:compute/instanceTemplate:InstanceTemplate",
    "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate",
)
_GROUP: Final = "gcp:cloudidentity/group:Group"
_MEMBERSHIP: Final = "gcp:cloudidentity/groupMembership:GroupMembership"
_SHOWN: Final = 20
_TRIGGER: Final = "gcp:cloudbuild/trigger:Trigger"
_BECOMES: Final[Mapping[str, str]] = {
    "impersonate": "takes tokens of",
    "make-keys": "makes keys of",
    "own-accounts": "may grant itself",
}


@dataclass(frozen=True)
class Step:
    """One way to become another: who, and how."""

    to: str
    how: str


@dataclass(frozen=True)
class Way:
    """One way to become any of several others. Ways over the same others share them."""

    how: str
    targets: tuple[str, ...]


@dataclass(frozen=True)
class Reach:
    """Whom a principal can become, the nearest first, and what they may do and hold."""

    others: tuple[str, ...]
    may: frozenset[str]
    wide_roles: frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Workload:
    """What runs code as a principal, and whether it reaches the internet by itself."""

    resource: Resource
    public_egress: bool


_NOWHERE: Final = Reach((), frozenset(), frozenset())


class Access:
    """Everything the stack grants, and what follows from it."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._accounts = cloud.Accounts(stack)
        self._pods = cluster.pods(stack)
        self.held: defaultdict[str, list[RoleAssignment]] = defaultdict(list)
        for each in (
            *cloud.role_assignments(stack, self._accounts),
            *cluster.role_assignments(stack),
        ):
            self.held[each.principal].append(each)
        # A pod holds what its namespace, cluster or pool is granted.
        for who in [each for each in self.held if namespace_of(each) is not None]:
            for member in self._pods_of(namespace_of(who) or ""):
                self.held[member] += [replace(each, principal=member) for each in self.held[who]]
        self._ways: dict[str, tuple[Way, ...]] = {}
        self._reach: dict[tuple[Way, ...], Reach] = {}

    @property
    def unknown(self) -> bool:
        """Whether a role, a principal or a namespace is not known."""
        return UNKNOWN_PRINCIPAL in {*self.held, *self._pods} or any(
            each.capabilities is None or each.scope.name == UNKNOWN_NAMESPACE
            for all_held in self.held.values()
            for each in all_held
        )

    def may(self, who: str) -> frozenset[str]:
        """Return what a principal may do somewhere, by its own grants."""
        return frozenset(
            capability for each in self.held.get(who, ()) for capability in each.capabilities or ()
        )

    def administers(self, who: str) -> RoleAssignment | None:
        """Return what makes a principal an administrator of a project, cluster or more, if
        anything."""
        for each in self.held.get(who, ()):
            if each.scope.wide and "administer" in (each.capabilities or ()):
                return each
        return None

    def privileged(self, who: str) -> RoleAssignment | None:
        """Return what a principal holds that nobody should get by deploying code, if anything."""
        for each in self.held.get(who, ()):
            found = each.capabilities or frozenset[str]()
            if found & {"own-accounts", "impersonate", "make-keys", "read-secrets", "decrypt"}:
                return each
            if each.scope.wide and found & {"administer", "share", "delete-audit"}:
                return each
        return None

    @cached_property
    def privileged_accounts(self) -> frozenset[str]:
        """Who is privileged, but no administrator: becoming that is an escalation chain."""
        return frozenset(
            who for who in self.held if self.privileged(who) and not self.administers(who)
        )

    @cached_property
    def workloads(self) -> Mapping[str, Sequence[Workload]]:
        """What runs as each principal."""
        found: defaultdict[str, list[Workload]] = defaultdict(list)
        for token, path in RUNS_AS.items():
            for resource in self._stack.by_type.get(token, ()):
                for who in self._runs_as(resource, path):
                    found[who].append(Workload(resource, _public_egress(resource)))
        return found

    def _runs_as(self, resource: Resource, path: Sequence[str | int]) -> list[str]:
        email = text(resource.props, *path)
        if isinstance(email, str):
            return [self._accounts.named(email)]
        return self._accounts.wired(resource, str(path[0]))

    @cached_property
    def principals(self) -> Sequence[str]:
        """Everyone who holds something, by a grant or as the member of a group."""
        return sorted({*self.held, *self._groups})

    def ways(self, who: str) -> tuple[Way, ...]:
        """Return how a principal becomes others at once."""
        if who not in self._ways:
            self._ways[who] = tuple(dict.fromkeys(self._find_ways(who)))
        return self._ways[who]

    def _find_ways(self, who: str) -> Iterator[Way]:
        if who in self._groups:
            yield Way("is a member of", self._groups[who])
        deploys = "deploy" in self.may(who)
        for each in self.held.get(who, ()):
            targets = self._targets(each)
            for capability in sorted(each.capabilities or ()):
                if capability in _BECOMES:
                    yield Way(_BECOMES[capability], targets)
                elif capability == "act-as" and deploys:
                    yield Way("deploys code as", targets)
                elif capability == "deploy" and each.scope.kind in ("namespace", "cluster"):
                    yield Way("deploys pods as", targets)
                elif capability == "build":
                    yield Way("runs builds as", self._builders)

    def _targets(self, held: RoleAssignment) -> tuple[str, ...]:
        if held.scope.kind == "service account":
            return tuple(sorted(held.accounts))
        if held.scope.kind in ("namespace", "cluster"):
            return self._pods_of(held.scope.name)
        return self._every_account if held.scope.wide else ()

    @cached_property
    def _every_account(self) -> tuple[str, ...]:
        """The accounts that the stack makes or grants something to."""
        named = (who for who in self.held if is_account(who) and not who.startswith("pod:"))
        return tuple(sorted({*filter(is_account, self._accounts.all), *named}))

    def _pods_of(self, namespace: str) -> tuple[str, ...]:
        return self._pods_by_namespace.get(namespace, ())

    @cached_property
    def _pods_by_namespace(self) -> Mapping[str, tuple[str, ...]]:
        """The pods that the stack makes or grants something to; under no name, all of them."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for who in dict.fromkeys((*sorted(self._pods), *self.held)):
            kind, _, rest = who.partition(":")
            if kind == "pod":
                found[rest.partition("/")[0]].append(who)
                found[""].append(who)
        return {namespace: tuple(sorted(some)) for namespace, some in found.items()}

    @cached_property
    def _groups(self) -> Mapping[str, tuple[str, ...]]:
        """The groups that the stack makes a principal a member of."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for each in self._stack.by_type.get(_MEMBERSHIP, ()):
            for group in self._groups_of(each):
                for prop in ("preferredMemberKey", "memberKey"):
                    name = text(each.props, prop, "id")
                    if isinstance(name, str):
                        found[self._one(name)].append(group)
                    for who in self._accounts.wired(each, prop):
                        found[who].append(group)
        return {who: tuple(sorted({*groups})) for who, groups in found.items()}

    def _one(self, email: str) -> str:
        """Return a member of a group, which does not say whether it is a person or a group."""
        who = principal(f"user:{email}")
        group = principal(f"group:{email}")
        if who.startswith("serviceAccount:"):
            return self._accounts.named(who.removeprefix("serviceAccount:"))
        return group if group in self.held else who

    def _groups_of(self, membership: Resource) -> Iterator[str]:
        for urn in membership.dependencies.get("group", ()):
            group = self._stack.by_urn.get(urn)
            name = text(group.props, "groupKey", "id") if group else MISSING
            if group and group.type == _GROUP and isinstance(name, str):
                yield principal(f"group:{name}")

    @cached_property
    def _builders(self) -> tuple[str, ...]:
        triggers = self._stack.by_type.get(_TRIGGER, ())
        return tuple(who for each in triggers for who in self._runs_as(each, ("serviceAccount",)))

    def reachable(self, who: str) -> Reach:
        """Return whom a principal can become. Those with the same ways share the answer."""
        ways = self.ways(who)
        if ways not in self._reach:
            found: dict[str, None] = {}
            queue = deque(ways)
            walked: set[tuple[str, ...]] = set()
            while queue:
                targets = queue.popleft().targets
                if targets not in walked:
                    walked.add(targets)
                    for to in targets:
                        if to not in found:
                            found[to] = None
                            queue.extend(self.ways(to))
            may = frozenset[str]().union(*(self.may(each) for each in found))
            roles = frozenset[tuple[str, str]]().union(*(self.wide_roles(each) for each in found))
            self._reach[ways] = Reach(tuple(found), may, roles)
        return self._reach[ways]

    def wide_roles(self, who: str) -> frozenset[tuple[str, str]]:
        """Return the roles that a principal holds on projects, clusters and more, with the kind."""
        held = self.held.get(who, ())
        return frozenset((each.role, each.scope.kind) for each in held if each.scope.wide)

    @cached_property
    def _into(self) -> Mapping[str, Sequence[tuple[str, ...]]]:
        """The sets of targets that each principal is in."""
        found: defaultdict[str, list[tuple[str, ...]]] = defaultdict(list)
        for targets in self._users:
            for to in targets:
                found[to].append(targets)
        return found

    @cached_property
    def _users(self) -> Mapping[tuple[str, ...], Sequence[tuple[str, str]]]:
        """Who has a way over each set of targets, and how."""
        found: defaultdict[tuple[str, ...], list[tuple[str, str]]] = defaultdict(list)
        everyone = {*self.held, *self._groups, *self._accounts.all, *self._pods}
        for who in sorted(everyone):
            for way in self.ways(who):
                found[way.targets].append((who, way.how))
        return found

    def reaching(self, target: str) -> dict[str, tuple[Step, ...]]:
        """Return the shortest way from everyone who can become a principal."""
        found: dict[str, tuple[Step, ...]] = {target: ()}
        queue = deque([target])
        walked: set[tuple[str, ...]] = set()
        while queue:
            current = queue.popleft()
            for targets in self._into.get(current, ()):
                if targets in walked:
                    continue
                walked.add(targets)
                for who, how in self._users[targets]:
                    if who not in found:
                        found[who] = (Step(current, how), *found[current])
                        queue.append(who)
        del found[target]
        return found


def access_of(resources: Sequence[Resource]) -> Access:
    """Return the access of a stack, worked out once for all rules."""
    stack = stack_of(resources)
    if "access" not in stack.shared:
        stack.shared["access"] = Access(stack)
    return cast("Access", stack.shared["access"])


def _public_egress(resource: Resource) -> bool:
    """Return whether the workload reaches the internet past the network's own controls."""
    if resource.type in _MACHINES:
        interfaces = entries(resource.props, "networkInterfaces")
        return isinstance(interfaces, tuple) and any(
            entries(each, "accessConfigs") not in ((), MISSING, UNKNOWN) for each in interfaces
        )
    if resource.type == "gcp:workbench/instance:Instance":
        return flag(resource.props, "gceSetup", "disablePublicIp") not in (True, UNKNOWN)
    kept = _EGRESS.get(resource.type)
    if kept is None:
        # A workflow calls any address from Google's own network.
        return True
    path, inside = kept
    # A value that is not known is wired from elsewhere: the update, which knows it, tells.
    return text(resource.props, *path) not in (inside, UNKNOWN)


def explain(start: str, path: Sequence[Step]) -> str:
    """Return the way from one principal to another, in words."""
    return ", which ".join(
        [f"{shown(start)} {path[0].how} {shown(path[0].to)}"]
        + [f"{step.how} {shown(step.to)}" for step in path[1:]]
    )


def _some(words: Sequence[str], show_one: Callable[[str], str]) -> str:
    rest = len(words) - _SHOWN
    more = (f"and {rest} more",) if rest > 0 else ()
    return "; ".join((*map(show_one, words[:_SHOWN]), *more)) or "-"


def table(resources: Sequence[Resource]) -> Table:
    """Return a row for each principal: what it holds, whom it can become, and what it may do so."""
    access = access_of(resources)
    rows: list[list[str]] = []
    for who in sorted(access.principals, key=shown):
        held = [
            f"{each.role} on {each.scope}" + (" (conditional)" if each.conditional else "")
            for each in access.held.get(who, ())
        ]
        reach = _NOWHERE if is_agent(who) else access.reachable(who)
        may = access.may(who) | reach.may
        if any(each.capabilities is None for each in access.held.get(who, ())):
            may |= {"unknown"}
        rows.append(
            [
                shown(who),
                _some(sorted({*held}), str),
                _some([each for each in reach.others if each != who], shown),
                ", ".join(sorted(may)) or "-",
            ]
        )
    return {
        "title": "Effective access, by the grants of this stack alone",
        "columns": ["principal", "holds", "can become", "may"],
        "rows": rows,
    }

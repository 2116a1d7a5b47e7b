"""Who can become whom, and what everyone may do in the end.

Only this stack is seen: neither grants inherited from folders and the organization, nor those of
other stacks, nor those made by hand.
"""

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, cast

from policies.rules.access import cloud, cluster
from policies.rules.access.model import (
    UNKNOWN_PRINCIPAL,
    Holding,
    is_account,
    is_agent,
    shown,
)
from policies.rules.peek import MISSING, UNKNOWN, entries, text
from policies.rules.rule import Resource, Stack, Table, stack_of

# The properties that name what a workload runs as, and the way to its network settings.
_RUNS_AS: Final[Mapping[str, tuple[str | int, ...]]] = {
    "gcp:cloudfunctionsv2/function:Function": ("serviceConfig", "serviceAccountEmail"),
    "gcp:cloudrunv2/job:Job": ("template", "template", "serviceAccount"),
    "gcp:cloudrunv2/service:Service": ("template", "serviceAccount"),
    "gcp:cloudrunv2/workerPool:WorkerPool": ("template", "serviceAccount"),
    "gcp:compute/instance:Instance": ("serviceAccount", "email"),
}
_NETWORKS: Final[Mapping[str, tuple[str, ...]]] = {
    "gcp:cloudrunv2/job:Job": ("template", "template", "vpcAccess"),
    "gcp:cloudrunv2/service:Service": ("template", "vpcAccess"),
    "gcp:cloudrunv2/workerPool:WorkerPool": ("template", "vpcAccess"),
}
_INSTANCE: Final = "gcp:compute/instance:Instance"
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
class Workload:
    """What runs code as a principal, and whether it reaches the internet by itself."""

    resource: Resource
    public_egress: bool


class Access:
    """Everything the stack grants, and what follows from it."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._accounts = cloud.Accounts(stack)
        self._pods = cluster.pods(stack)
        self.held: defaultdict[str, list[Holding]] = defaultdict(list)
        for each in (*cloud.holdings(stack, self._accounts), *cluster.holdings(stack)):
            self.held[each.principal].append(each)

    @property
    def unknown(self) -> list[Holding]:
        """What is held through a role, or by a principal, that is not known."""
        return [
            each
            for all_held in self.held.values()
            for each in all_held
            if each.capabilities is None or each.principal == UNKNOWN_PRINCIPAL
        ]

    def may(self, who: str) -> frozenset[str]:
        """What a principal may do somewhere, by its own grants."""
        return frozenset(
            capability for each in self.held.get(who, ()) for capability in each.capabilities or ()
        )

    def administers(self, who: str) -> Holding | None:
        """What makes a principal an administrator of a project, cluster or more, if anything."""
        for each in self.held.get(who, ()):
            if each.scope.wide and "administer" in (each.capabilities or ()):
                return each
        return None

    def privileged(self, who: str) -> Holding | None:
        """What a principal holds that nobody should get by deploying code, if anything."""
        for each in self.held.get(who, ()):
            found = each.capabilities or frozenset[str]()
            if found & {"own-accounts", "impersonate", "make-keys", "read-secrets", "decrypt"}:
                return each
            if each.scope.wide and found & {"administer", "share", "delete-audit"}:
                return each
        return None

    @cached_property
    def workloads(self) -> Mapping[str, Sequence[Workload]]:
        """What runs as each principal."""
        found: defaultdict[str, list[Workload]] = defaultdict(list)
        for token, path in _RUNS_AS.items():
            for resource in self._stack.by_type.get(token, ()):
                for who in self._runs_as(resource, path):
                    found[who].append(Workload(resource, _public_egress(resource)))
        return found

    def _runs_as(self, resource: Resource, path: Sequence[str | int]) -> list[str]:
        email = text(resource.props, *path)
        if isinstance(email, str):
            plain = email.rpartition("/")[2].lower()
            return [self._accounts.by_email.get(plain, f"serviceAccount:{plain}")]
        return self._accounts.wired(resource, str(path[0]))

    def steps(self, who: str) -> Iterator[Step]:
        """The accounts a principal can become at once."""
        deploys = "deploy" in self.may(who)
        for each in self.held.get(who, ()):
            targets = self._targets(each)
            for capability in sorted(each.capabilities or ()):
                if capability in _BECOMES:
                    yield from (Step(to, _BECOMES[capability]) for to in targets)
                elif capability == "act-as" and deploys:
                    yield from (Step(to, "deploys code as") for to in targets)
                elif capability == "deploy" and each.scope.kind in ("namespace", "cluster"):
                    yield from (Step(to, "deploys pods as") for to in targets)
                elif capability == "build":
                    yield from (Step(to, "runs builds as") for to in self._builders)

    def _targets(self, held: Holding) -> Sequence[str]:
        if held.scope.kind == "service account":
            return sorted(held.accounts)
        if held.scope.kind == "namespace":
            return [who for who, where in self._pods.items() if where == held.scope.name]
        if held.scope.kind == "cluster":
            return list(self._pods)
        return sorted(filter(is_account, self._accounts.all)) if held.scope.wide else ()

    @cached_property
    def _builders(self) -> Sequence[str]:
        triggers = self._stack.by_type.get(_TRIGGER, ())
        return [who for each in triggers for who in self._runs_as(each, ("serviceAccount",))]

    def paths(self, who: str) -> dict[str, tuple[Step, ...]]:
        """The shortest way to every account a principal can become."""
        found: dict[str, tuple[Step, ...]] = {who: ()}
        queue = deque([who])
        while queue:
            current = queue.popleft()
            for step in self.steps(current):
                if step.to not in found:
                    found[step.to] = (*found[current], step)
                    queue.append(step.to)
        del found[who]
        return found


def access_of(resources: Sequence[Resource]) -> Access:
    """The access of a stack, worked out once for all rules."""
    stack = stack_of(resources)
    if "access" not in stack.shared:
        stack.shared["access"] = Access(stack)
    return cast("Access", stack.shared["access"])


def _public_egress(resource: Resource) -> bool:
    """Whether the workload reaches the internet past the network's own controls."""
    if resource.type == _INSTANCE:
        interfaces = entries(resource.props, "networkInterfaces")
        return isinstance(interfaces, tuple) and any(
            entries(each, "accessConfigs") not in ((), MISSING, UNKNOWN) for each in interfaces
        )
    path = _NETWORKS.get(resource.type)
    if path is None:
        return False
    # A value that is not known is wired from elsewhere: the update, which knows it, tells.
    return text(resource.props, *path, "egress") not in ("ALL_TRAFFIC", UNKNOWN)


def explain(start: str, path: Sequence[Step]) -> str:
    """The way from one principal to another, in words."""
    return ", which ".join(
        [f"{shown(start)} {path[0].how} {shown(path[0].to)}"]
        + [f"{step.how} {shown(step.to)}" for step in path[1:]]
    )


def table(resources: Sequence[Resource]) -> Table:
    """A row for each principal: what it holds, whom it can become, and what it may do so."""
    access = access_of(resources)
    rows: list[list[str]] = []
    for who in sorted(access.held, key=shown):
        held = [
            f"{each.role} on {each.scope}" + (" (conditional)" if each.conditional else "")
            for each in access.held[who]
        ]
        paths = {} if is_agent(who) else access.paths(who)
        may = set(access.may(who)).union(*(access.may(each) for each in paths))
        if any(each.capabilities is None for each in access.held[who]):
            may.add("unknown")
        rows.append(
            [
                shown(who),
                "; ".join(dict.fromkeys(held)),
                "; ".join(shown(each) for each in paths) or "-",
                ", ".join(sorted(may)) or "-",
            ]
        )
    return {
        "title": "Effective access, by the grants of this stack alone",
        "columns": ["principal", "holds", "can become", "may"],
        "rows": rows,
    }

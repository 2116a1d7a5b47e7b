"""The words of access: principals, scopes, and what a principal holds on a scope."""

import re
from dataclasses import dataclass
from typing import Final

from catalog.conventions import PUBLIC
from policies.access import principals
from policies.access.capabilities import Capabilities
from resources.properties import show

UNKNOWN_PRINCIPAL: Final = "(not known during preview)"
UNKNOWN_NAMESPACE: Final = "(not known during preview)"
_POD: Final = (
    re.compile(r"serviceAccount:[^@\[]+\.svc\.id\.goog\[(?P<ns>[^/\]]+)/(?P<sa>[^\]]+)\]"),
    re.compile(r"principal://[^ ]+/subject/ns/(?P<ns>[^/]+)/sa/(?P<sa>[^/]+)"),
    re.compile(r"system:serviceaccount:(?P<ns>[^:]+):(?P<sa>[^:]+)"),
)
_WORD: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?")
_FEDERATED: Final = re.compile(r"principal(Set)?://.*/workloadIdentityPools/(?P<pool>[^/]+)/.*")
# What stands for many pods: those of a namespace, or, without one, those of a cluster or pool.
_POD_SETS: Final = (
    re.compile(r"principalSet://.*\.svc\.id\.goog/namespace/(?P<ns>[^/]+)"),
    re.compile(r"principalSet://.*\.svc\.id\.goog/(?:\*|kubernetes\.cluster/.*)(?P<ns>)"),
    re.compile(r"serviceAccount:[^@\[]+\.svc\.id\.goog(?P<ns>)"),
    re.compile(r"group:system:serviceaccounts(?::(?P<ns>[^:]+))?"),
)


@dataclass(frozen=True)
class Scope:
    """What a role is held on. `name` is a resource's name in the program, fit for messages.

    `cluster` is that of what is in one, by the name of its provider in the program.
    """

    kind: str
    name: str = ""
    cluster: str = ""

    @property
    def wide(self) -> bool:
        """Whether it holds many resources."""
        return self.kind in ("project", "folder", "organization", "cluster")

    def __str__(self) -> str:
        # A namespace comes from a property, which may hold anything.
        shown_as_it_is = self.name == UNKNOWN_NAMESPACE or _WORD.fullmatch(self.name)
        hidden = self.kind == "namespace" and not shown_as_it_is
        what = f"{self.kind} {show(None) if hidden else self.name}".strip()
        if not self.cluster:
            return what
        return f"{what} {self.cluster}" if self.kind == "cluster" else f"{what} of {self.cluster}"


@dataclass(frozen=True)
class RoleAssignment:
    """One role of one principal on one scope. `capabilities` is None when the role is not known.

    `accounts` names the service accounts that the role is held on, when it is on some; `source` the
    resources that a principal which isn't known yet comes from.
    """

    principal: str
    role: str
    capabilities: Capabilities | None
    scope: Scope
    conditional: bool = False
    accounts: frozenset[str] = frozenset()
    source: str = ""


def principal(member: str) -> str:
    """Return one spelling for a principal: pods are named by namespace and account, mail in
    lower case."""
    for pattern in _POD:
        match = pattern.fullmatch(member)
        if match:
            return pod(match["ns"], match["sa"])
    return principals.member(member)


def namespace_of(who: str) -> str | None:
    """Return the namespace whose pods a principal stands for, empty for all pods, None for no
    set."""
    for pattern in _POD_SETS:
        match = pattern.fullmatch(who)
        if match:
            return match["ns"] or ""
    return None


def pod(namespace: str, account: str) -> str:
    """Return the principal of pods that run as a Kubernetes service account."""
    return f"pod:{namespace}/{account}"


def is_agent(who: str) -> bool:
    """Return whether the principal is an account of Google's own."""
    return who.startswith("agent:") or principals.is_agent(who)


def is_account(who: str) -> bool:
    """Return whether the principal is a service account or a pod's, which others may become."""
    return who.startswith(("serviceAccount:", "account:", "pod:")) and not is_agent(who)


def shown(who: str) -> str:
    """Return the principal as a message may show it."""
    if who in PUBLIC or who == UNKNOWN_PRINCIPAL:
        return who
    kind, _, rest = who.partition(":")
    if kind == "pod" and all(_WORD.fullmatch(part) for part in rest.split("/")):
        return f"pods of {rest}"
    if kind in ("account", "agent"):
        # The name of a resource in the program.
        return f"service account {rest}" if kind == "account" else f"Google's agent {rest}"
    match = _FEDERATED.fullmatch(who)
    if match and _WORD.fullmatch(match["pool"]):
        return f"workloads of pool {match['pool']}"
    return show(who)

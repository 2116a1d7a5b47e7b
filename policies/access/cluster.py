"""What principals hold through the roles of Kubernetes."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, cast

from policies.access.capabilities import NOTHING, Capabilities, of_kubernetes_role
from policies.access.model import (
    UNKNOWN_NAMESPACE,
    UNKNOWN_PRINCIPAL,
    RoleAssignment,
    Scope,
    pod,
    principal,
)
from resources.kubernetes import objects
from resources.properties import MISSING, UNKNOWN, Absence, entries, get, is_mapping, text
from resources.resource import Resource, Stack
from resources.selectors import labels, may_select

_API: Final = "kubernetes:rbac.authorization.k8s.io/v1:"
_NAMESPACE: Final = "kubernetes:core/v1:Namespace"
_KINDS: Final = ("Role", "ClusterRole")
_ROLE_NAME: Final = re.compile(r"[a-z0-9][a-z0-9:.-]{0,126}", re.IGNORECASE)
_WORKLOADS: Final = frozenset(
    {
        "pods",
        "pods/exec",
        "pods/ephemeralcontainers",
        "deployments",
        "statefulsets",
        "daemonsets",
        "replicasets",
        "jobs",
        "cronjobs",
        "leaderworkersets",
        "*",
    }
)
_WRITES: Final = frozenset({"create", "update", "patch", "*"})
_READS: Final = frozenset({"get", "list", "watch", "*"})
_ROLES: Final = frozenset({"roles", "clusterroles", "*"})
_IDENTITIES: Final = frozenset({"users", "groups", "serviceaccounts", "uids", "*"})
_ANYONE: Final = frozenset({"users", "groups", "*"})
_TOKENS: Final = frozenset({"serviceaccounts/token", "*"})
_SECRETS: Final = frozenset({"secrets", "*"})
AGGREGATE: Final = "rbac.authorization.k8s.io/aggregate-to-"
_FLEET: Final = {
    "gcp:gkehub/membershipRbacRoleBinding:MembershipRbacRoleBinding": "cluster-admin",
    "gcp:gkehub/scopeRbacRoleBinding:ScopeRbacRoleBinding": "admin",
}


def pods(stack: Stack) -> set[str]:
    """Return every pod identity that the stack makes."""
    return {
        _pod(_namespace(each, stack), _name(each.props))
        for each in stack.by_type.get("kubernetes:core/v1:ServiceAccount", ())
    }


def _pod(namespace: str | Absence, name: str | Absence) -> str:
    if isinstance(namespace, str) and isinstance(name, str):
        return pod(namespace, name)
    return UNKNOWN_PRINCIPAL


def role_assignments(stack: Stack) -> Iterator[RoleAssignment]:
    """Yield everything that principals hold through Kubernetes roles in the stack."""
    roles = _roles(stack)
    yield from _fleet(stack)
    for kind in ("RoleBinding", "ClusterRoleBinding"):
        for binding in _made(stack, kind):
            place = _namespace(binding, stack) if kind == "RoleBinding" else ""
            namespace = place if isinstance(place, str) else UNKNOWN_NAMESPACE
            of_kind = "namespace" if namespace else "cluster"
            scope = Scope(of_kind, namespace, _cluster_of(binding))
            kind_of_role = text(binding.props, "roleRef", "kind")
            ref_kind = kind_of_role if kind_of_role in _KINDS else "role"
            name = text(binding.props, "roleRef", "name")
            where = namespace if ref_kind == "Role" else ""
            role = (
                _wired(binding, "roleRef", f"{_API}{ref_kind}", stack) if name is UNKNOWN else None
            )
            key = role.urn if role else name
            capabilities = roles.get((binding.provider, str(ref_kind), where, key))
            if ref_kind in _KINDS and isinstance(name, str):
                own = of_kubernetes_role(f"{where}/{name}" if where else name)
                if own is not None:
                    capabilities = own | (capabilities or NOTHING)
                    capabilities |= _aggregated(stack, f"{AGGREGATE}{name}", binding.provider)
            # A role is called as the cloud or as the program does, and by what binds it otherwise.
            called = role.name if role else name if _is_name(name) else f"of {binding.name}"
            for who in _subjects(binding, place, stack):
                source = f"{kind} {binding.name}" if who == UNKNOWN_PRINCIPAL else ""
                words = f"{ref_kind} {called}"
                yield RoleAssignment(who, words, capabilities, scope, source=source)


def _is_name(found: str | Absence) -> bool:
    return isinstance(found, str) and _ROLE_NAME.fullmatch(found) is not None


def _cluster_of(resource: Resource) -> str:
    """Return what tells a cluster from others: its provider's name, unless that is the default."""
    name = resource.provider.rpartition("::")[2]
    return "" if name.startswith("default") else name


def _wired(resource: Resource, prop: str, of_type: str, stack: Stack) -> Resource | None:
    """Return what a property comes from, where that is one resource of the type."""
    found = [
        each
        for urn in resource.dependencies.get(prop, ())
        if (each := stack.by_urn.get(urn)) and each.type == of_type
    ]
    return found[0] if len(found) == 1 else None


def _made(stack: Stack, kind: str) -> Sequence[Resource]:
    """Return the objects of a kind, those in lists, and the patches that change somebody else's."""
    found = stack.by_type
    listed = (
        replace(each, props=item if is_mapping(item) else {})
        for each in found.get(f"{_API}{kind}List", ())
        for item in objects(each.type, each.props)
    )
    return (*found.get(f"{_API}{kind}", ()), *found.get(f"{_API}{kind}Patch", ()), *listed)


def _roles(stack: Stack) -> dict[tuple[str, str, str, object], Capabilities | None]:
    """Return what each role allows, by provider, kind, namespace, and name or URN."""
    found: dict[tuple[str, str, str, object], Capabilities | None] = {}
    for kind in _KINDS:
        for each in _made(stack, kind):
            place = _namespace(each, stack) if kind == "Role" else ""
            if isinstance(place, Absence):
                # It may be the role of any binding, or of none.
                continue
            key = (each.provider, kind, place, _name(each.props))
            allows = of_rules(each.props)
            if kind == "ClusterRole" and allows is not None:
                allows |= _selected(stack, each)
            found[each.provider, kind, place, each.urn] = allows
            # Clusters that cannot be told apart, and patches, may give a name several roles.
            earlier = found.get(key)
            found[key] = allows if earlier is None else earlier | (allows or NOTHING)
    return found


def _selected(stack: Stack, role: Resource) -> Capabilities:
    """Return what a ClusterRole takes over from others by their labels."""
    selectors = entries(role.props, "aggregationRule", "clusterRoleSelectors")
    allows: set[str] = set()
    for selector in selectors if isinstance(selectors, tuple) else ():
        for other in _made(stack, "ClusterRole"):
            if may_select(selector, labels(other.props, "metadata", "labels")):
                allows |= of_rules(other.props) or NOTHING
    return frozenset(allows)


def _aggregated(stack: Stack, label: str, provider: str) -> Capabilities:
    """Return what ClusterRoles of the stack add to one that every cluster has, by a label."""
    if "aggregated roles" not in stack.shared:
        stack.shared["aggregated roles"] = dict(_adding(stack))
    adding = cast("dict[tuple[str, str], set[str]]", stack.shared["aggregated roles"])
    return frozenset(adding.get((provider, label), ()))


def _adding(stack: Stack) -> Mapping[tuple[str, str], set[str]]:
    found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for each in _made(stack, "ClusterRole"):
        labels = get(each.props, "metadata", "labels")
        for name, value in labels.items() if is_mapping(labels) else ():
            if name.startswith(AGGREGATE) and value == "true":
                found[each.provider, name] |= of_rules(each.props) or NOTHING
    return found


def _fleet(stack: Stack) -> Iterator[RoleAssignment]:
    """Yield roles that a fleet gives in its clusters."""
    for token, highest in _FLEET.items():
        for each in stack.by_type.get(token, ()):
            predefined = text(each.props, "role", "predefinedRole")
            role = {"ADMIN": highest, "EDIT": "edit", "VIEW": "view"}.get(str(predefined))
            for prop in ("user", "group"):
                name = text(each.props, prop)
                if name is MISSING:
                    continue
                who = principal(f"{prop}:{name}") if isinstance(name, str) else UNKNOWN_PRINCIPAL
                capabilities = of_kubernetes_role(role) if role else None
                words = f"ClusterRole {role}" if role else f"role of {each.name}"
                source = f"{prop} of {each.name}" if who == UNKNOWN_PRINCIPAL else ""
                yield RoleAssignment(who, words, capabilities, Scope("cluster"), source=source)


def _name(props: object) -> str | Absence:
    return text(props, "metadata", "name")


def _namespace(resource: Resource, stack: Stack) -> str | Absence:
    found = text(resource.props, "metadata", "namespace")
    return "default" if found is MISSING else _resolved(found, resource, "metadata", stack)


def _resolved(found: str | Absence, resource: Resource, prop: str, stack: Stack) -> str | Absence:
    """Return a namespace; one that isn't known yet by the Namespace that it comes from."""
    made = _wired(resource, prop, _NAMESPACE, stack) if found is UNKNOWN else None
    return _name(made.props) if made else found


def _subjects(binding: Resource, namespace: str | Absence, stack: Stack) -> Iterator[str]:
    subjects = entries(binding.props, "subjects")
    for subject in subjects if isinstance(subjects, tuple) else ():
        kind, name = text(subject, "kind"), text(subject, "name")
        if not isinstance(name, str):
            yield UNKNOWN_PRINCIPAL
        elif kind == "ServiceAccount":
            own = text(subject, "namespace")
            own = _resolved(own, binding, "subjects", stack)
            yield _pod(namespace if own is MISSING else own, name)
        elif name in ("system:unauthenticated", "system:anonymous"):
            yield "allUsers"
        elif name == "system:authenticated":
            yield "allAuthenticatedUsers"
        elif name.startswith("system:serviceaccount:"):
            yield principal(name)
        else:
            yield principal(f"{'group' if kind == 'Group' else 'user'}:{name}")


def of_rules(props: object) -> Capabilities | None:
    """Return what the rules of a role allow; None when one of them is not known."""
    rules = entries(props, "rules")
    if isinstance(rules, Absence):
        return NOTHING if rules is Absence.MISSING else None
    found: set[str] = set()
    for rule in rules:
        verbs, resources = _words(rule, "verbs"), _words(rule, "resources")
        if verbs is None or resources is None:
            return None
        found |= _of_rule(verbs, resources, named=bool(_words(rule, "resourceNames")))
    return frozenset(found)


def _words(rule: object, key: str) -> frozenset[str] | None:
    words = entries(rule, key)
    if words is Absence.MISSING:
        return frozenset()
    known = isinstance(words, tuple) and all(isinstance(word, str) for word in words)
    return frozenset(map(str, words)) if known and isinstance(words, tuple) else None


def _of_rule(verbs: frozenset[str], resources: frozenset[str], *, named: bool) -> set[str]:
    found: set[str] = set()
    if "*" in verbs and "*" in resources:
        found.add("administer")
    if verbs & {"bind", "escalate", "*"} and resources & _ROLES:
        found.add("administer")
    if verbs & {"impersonate", "*"} and resources & _ANYONE and not named:
        # Among the groups is system:masters.
        found.add("administer")
    if verbs & {"impersonate", "*"} and resources & _IDENTITIES:
        found.add("impersonate")
    if verbs & _WRITES and resources & _TOKENS:
        found.add("impersonate")
    if verbs & _WRITES and resources & _WORKLOADS:
        found.add("deploy")
    if verbs & _READS and resources & _SECRETS:
        found.add("read-secrets")
    return found

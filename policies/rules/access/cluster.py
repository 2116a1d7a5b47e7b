"""What principals hold through the roles of Kubernetes."""

from collections.abc import Iterator
from typing import Final

from policies.rules.access.capabilities import NOTHING, Capabilities, of_cluster_role
from policies.rules.access.model import UNKNOWN_PRINCIPAL, Holding, Scope, pod, principal
from policies.rules.peek import Absence, entries, text
from policies.rules.rule import Stack

_API: Final = "kubernetes:rbac.authorization.k8s.io/v1:"
_KINDS: Final = ("Role", "ClusterRole")
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
_IDENTITIES: Final = frozenset({"users", "groups", "serviceaccounts", "*"})
_TOKENS: Final = frozenset({"serviceaccounts/token", "*"})
_SECRETS: Final = frozenset({"secrets", "*"})


def pods(stack: Stack) -> dict[str, str]:
    """Every pod identity of the stack, with its namespace."""
    found: dict[str, str] = {}
    for each in stack.by_type.get("kubernetes:core/v1:ServiceAccount", ()):
        name = text(each.props, "metadata", "name")
        if isinstance(name, str):
            namespace = _namespace(each.props)
            found[pod(namespace, name)] = namespace
    return found


def holdings(stack: Stack) -> Iterator[Holding]:
    """Everything that principals hold through Kubernetes roles in the stack."""
    roles: dict[tuple[str, str, str, object], Capabilities | None] = {}
    for kind in _KINDS:
        for each in stack.by_type.get(f"{_API}{kind}", ()):
            place = _namespace(each.props) if kind == "Role" else ""
            key = (each.provider, kind, place, _name(each.props))
            found = _of_rules(each.props)
            # Clusters that cannot be told apart may have a role of one name each.
            earlier = roles.get(key)
            roles[key] = found if earlier is None else earlier | (found or NOTHING)
    for kind in ("RoleBinding", "ClusterRoleBinding"):
        for binding in stack.by_type.get(f"{_API}{kind}", ()):
            namespace = _namespace(binding.props) if kind == "RoleBinding" else ""
            scope = Scope("namespace", namespace) if namespace else Scope("cluster")
            kind_of_role = text(binding.props, "roleRef", "kind")
            ref_kind = kind_of_role if kind_of_role in _KINDS else "role"
            name = text(binding.props, "roleRef", "name")
            where = namespace if ref_kind == "Role" else ""
            capabilities = roles.get((binding.provider, str(ref_kind), where, name))
            if capabilities is None and isinstance(name, str):
                capabilities = of_cluster_role(name) if ref_kind == "ClusterRole" else None
            for who in _subjects(binding.props, namespace):
                yield Holding(who, f"{ref_kind} of {binding.name}", capabilities, scope)


def _name(props: object) -> str | Absence:
    return text(props, "metadata", "name")


def _namespace(props: object) -> str:
    found = text(props, "metadata", "namespace")
    return found if isinstance(found, str) else "default"


def _subjects(props: object, namespace: str) -> Iterator[str]:
    subjects = entries(props, "subjects")
    for subject in subjects if isinstance(subjects, tuple) else ():
        kind, name = text(subject, "kind"), text(subject, "name")
        if not isinstance(name, str):
            yield UNKNOWN_PRINCIPAL
        elif kind == "ServiceAccount":
            own = text(subject, "namespace")
            yield pod(own if isinstance(own, str) else namespace, name)
        elif name in ("system:unauthenticated", "system:anonymous"):
            yield "allUsers"
        elif name == "system:authenticated":
            yield "allAuthenticatedUsers"
        elif name.startswith("system:serviceaccount:"):
            yield principal(name)
        else:
            yield principal(f"{'group' if kind == 'Group' else 'user'}:{name}")


def _of_rules(props: object) -> Capabilities | None:
    """What the rules of a role allow; None when one of them is not known."""
    rules = entries(props, "rules")
    if isinstance(rules, Absence):
        return NOTHING if rules is Absence.MISSING else None
    found: set[str] = set()
    for rule in rules:
        verbs, resources = _words(rule, "verbs"), _words(rule, "resources")
        if verbs is None or resources is None:
            return None
        found |= _of_rule(verbs, resources)
    return frozenset(found)


def _words(rule: object, key: str) -> frozenset[str] | None:
    words = entries(rule, key)
    if words is Absence.MISSING:
        return frozenset()
    known = isinstance(words, tuple) and all(isinstance(word, str) for word in words)
    return frozenset(map(str, words)) if known and isinstance(words, tuple) else None


def _of_rule(verbs: frozenset[str], resources: frozenset[str]) -> set[str]:
    found: set[str] = set()
    if "*" in verbs and "*" in resources:
        found.add("administer")
    if verbs & {"bind", "escalate", "*"} and resources & _ROLES:
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

"""No Kubernetes role gives everything, or a way to it."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import Severity

from policies.rules.config import Limits
from policies.rules.peek import UNKNOWN, entries, text
from policies.rules.rule import Reference, Resource, ResourceRule

_RBAC: Final = "kubernetes:rbac.authorization.k8s.io/v1:"
_ROLES: Final = (f"{_RBAC}ClusterRole", f"{_RBAC}Role")
_BINDINGS: Final = (f"{_RBAC}ClusterRoleBinding", f"{_RBAC}RoleBinding")
_ESCALATING: Final = frozenset({"bind", "escalate", "impersonate"})
_READING: Final = frozenset({"get", "list", "watch"})
_EVERYONE: Final = frozenset(
    {"system:anonymous", "system:authenticated", "system:unauthenticated", "system:serviceaccounts"}
)


def _strings(rule: object, name: str) -> frozenset[str]:
    found = entries(rule, name)
    known = found if isinstance(found, tuple) else ()
    return frozenset(each for each in known if isinstance(each, str))


def _role(rule: object) -> Iterator[str]:
    verbs, resources = _strings(rule, "verbs"), _strings(rule, "resources")
    if "*" in verbs or "*" in resources:
        yield "has a rule with a wildcard"
    if verbs & _ESCALATING:
        yield f"lets its holder {', '.join(sorted(verbs & _ESCALATING))}"
    reads_all = "secrets" in resources and not _strings(rule, "resourceNames")
    if reads_all and verbs & _READING:
        yield "reads every secret"
    if UNKNOWN in (entries(rule, "verbs"), entries(rule, "resources")):
        yield "has a rule that is not known during preview"


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    if resource.type in _ROLES:
        rules = entries(resource.props, "rules")
        if rules is UNKNOWN:
            yield "its rules are not known during preview"
        for rule in rules if isinstance(rules, tuple) else ():
            yield from _role(rule)
        return
    if text(resource.props, "roleRef", "name") == "cluster-admin":
        yield "binds cluster-admin"
    subjects = entries(resource.props, "subjects")
    for subject in subjects if isinstance(subjects, tuple) else ():
        if text(subject, "name") in _EVERYONE:
            yield "binds a group that everyone is in"


RULE: Final = ResourceRule(
    id="rbac-no-wildcards",
    display_name="Kubernetes roles are narrow",
    description=(
        "No role has wildcards, reads secrets at large or can escalate, and none is bound to "
        "everyone or is cluster-admin."
    ),
    why="One pod with such a role is the whole cluster.",
    remediation=(
        "name the verbs, resources and, for secrets, resourceNames; bind to one service account."
    ),
    severity=Severity.CRITICAL,
    url="https://cloud.google.com/kubernetes-engine/docs/best-practices/rbac",
    references=(
        Reference("CIS GKE", "4.1.1"),
        Reference("CIS GKE", "4.1.2"),
        Reference("CIS GKE", "4.1.3"),
        Reference("CIS GKE", "4.1.8"),
        Reference("checkov", "CKV_K8S_49"),
        Reference("trivy", "KSV-0041"),
        Reference("trivy", "KSV-0044"),
        Reference("trivy", "KSV-0050"),
    ),
    applies=lambda resource_type: resource_type in _ROLES or resource_type in _BINDINGS,
    check=_check,
)

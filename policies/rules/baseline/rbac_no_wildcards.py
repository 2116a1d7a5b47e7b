"""No Kubernetes role gives everything, or a way to it."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.kubernetes import kind_of, objects
from resources.properties import UNKNOWN, entries, text
from resources.resource import Resource

_GROUP: Final = "rbac.authorization.k8s.io/"
_ROLES: Final = (f"{_GROUP}ClusterRole", f"{_GROUP}Role")
_BINDINGS: Final = (f"{_GROUP}ClusterRoleBinding", f"{_GROUP}RoleBinding")
_ESCALATING: Final = frozenset({"bind", "escalate", "impersonate"})
_READING: Final = frozenset({"get", "list", "watch"})
# What lets its holder act as others: a shell in their pods, their nodes' kubelet, their tokens.
_STEPS: Final[Mapping[str, str]] = {
    "nodes/proxy": "runs commands on every node",
    "pods/attach": "gets into every pod",
    "pods/exec": "gets into every pod",
    "serviceaccounts/token": "makes tokens of every service account",
}
_EVERYONE: Final = re.compile(
    r"system:(anonymous|authenticated|unauthenticated|masters|serviceaccounts(:.*)?)"
)


def _strings(rule: object, name: str) -> frozenset[str]:
    found = entries(rule, name)
    known = found if isinstance(found, tuple) else ()
    return frozenset(each for each in known if isinstance(each, str))


def _role(rule: object) -> Iterator[str]:
    verbs, resources = _strings(rule, "verbs"), _strings(rule, "resources")
    if any("*" in names for names in (verbs, resources, _strings(rule, "nonResourceURLs"))):
        yield "has a rule with a wildcard"
    if verbs & _ESCALATING:
        yield f"lets its holder {', '.join(sorted(verbs & _ESCALATING))}"
    everything = not _strings(rule, "resourceNames")
    if everything and "secrets" in resources and verbs & _READING:
        yield "reads every secret"
    # Commands run by get as well as by create: both open the connection.
    if everything and verbs & {"create", "get"}:
        yield from sorted({_STEPS[each] for each in resources & _STEPS.keys()})
    if UNKNOWN in (rule, entries(rule, "verbs"), entries(rule, "resources")):
        yield "has a rule that is not known during preview"


def _binding(binding: object) -> Iterator[str]:
    if text(binding, "roleRef", "name") == "cluster-admin":
        yield "binds cluster-admin"
    subjects = entries(binding, "subjects")
    for subject in subjects if isinstance(subjects, tuple) else ():
        name = text(subject, "name")
        if isinstance(name, str) and _EVERYONE.fullmatch(name):
            yield "binds a group that everyone is in, or that may do everything"


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    for each in objects(resource.type, resource.props):
        if kind_of(resource.type) in _BINDINGS:
            yield from _binding(each)
            continue
        rules = entries(each, "rules")
        if rules is UNKNOWN:
            yield "its rules are not known during preview"
        for rule in rules if isinstance(rules, tuple) else ():
            yield from _role(rule)


RULE: Final = ResourceRule(
    id="rbac-no-wildcards",
    display_name="Kubernetes roles are narrow",
    description=(
        "No role has wildcards, reads secrets at large, gets into other pods or can escalate, and "
        "none is bound to everyone or is cluster-admin."
    ),
    why="One pod with such a role is the whole cluster.",
    remediation=(
        "name the verbs, resources and, for secrets, resourceNames; bind to one service account."
    ),
    severity=Severity.CRITICAL,
    level=EnforcementLevel.MANDATORY,
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
    applies=lambda resource_type: kind_of(resource_type) in (*_ROLES, *_BINDINGS),
    check=_check,
)

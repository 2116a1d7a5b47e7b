"""No Kubernetes role gives everything, or a way to it."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

from pulumi_policy import EnforcementLevel, Severity

from catalog import strict_yaml
from policies import access
from policies.access.cluster import AGGREGATE
from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.kubernetes import kind_of, objects
from resources.properties import UNKNOWN, entries, get, is_mapping, text
from resources.resource import Resource

_POWERS: Final = Path(access.__file__).with_name("cluster_powers.yaml")
_GROUP: Final = "rbac.authorization.k8s.io/"
_ROLES: Final = (f"{_GROUP}ClusterRole", f"{_GROUP}Role")
_CLUSTER_ROLE: Final = f"{_GROUP}ClusterRole"
_BINDINGS: Final = (f"{_GROUP}ClusterRoleBinding", f"{_GROUP}RoleBinding")
# Who is bound in the clusters of a fleet, by the properties of each type.
_FLEET: Final = {
    "gcp:gkehub/membershipRbacRoleBinding:MembershipRbacRoleBinding": ("user",),
    "gcp:gkehub/scopeRbacRoleBinding:ScopeRbacRoleBinding": ("user", "group"),
}
_ESCALATING: Final = frozenset({"bind", "escalate", "impersonate", "impersonate-on"})
_READING: Final = frozenset({"get", "list", "watch"})
_EVERYONE: Final = re.compile(
    r"system:(anonymous|authenticated|unauthenticated|masters|serviceaccounts(:.*)?"
    r"|nodes|node:.*|bootstrappers(:.*)?|kube-[a-z-]+|cluster-admins)"
)
_DEFAULT: Final = re.compile(r"system:serviceaccount:[^:]+:default")
_WIDE_ROLES: Final = frozenset({"admin", "cluster-admin", "edit", "kubelet-api-admin"})
# Roles of the system that ask who calls, or read what everybody may.
_HARMLESS: Final = frozenset(
    f"system:{name}"
    for name in (
        "aggregated-metrics-reader",
        "auth-delegator",
        "basic-user",
        "discovery",
        "monitoring",
        "public-info-viewer",
        "service-account-issuer-discovery",
    )
)
# Labels that the roles of the system itself carry.
_OF_SYSTEM: Final = "kubernetes.io/bootstrapping"
_SELECTS: Final = frozenset({"In", "Exists"})


@cache
def _powers() -> Mapping[str, Mapping[str, Any]]:
    document = strict_yaml.load(_POWERS.read_text(encoding="utf-8"), own=True)
    return cast("Mapping[str, Mapping[str, Any]]", document)


# https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/ (--profiling)
_INSIDES: Final = ("/debug", "/logs", "/flagz", "/statusz")


def _strings(rule: object, name: str) -> frozenset[str]:
    found = entries(rule, name)
    known = found if isinstance(found, tuple) else ()
    return frozenset(each for each in known if isinstance(each, str))


def _wild(names: frozenset[str]) -> bool:
    # The number of replicas is no way to anything else.
    return any("*" in each for each in names - {"*/scale"})


def _speaks_of(power: Mapping[str, Any], groups: frozenset[str], resources: frozenset[str]) -> bool:
    if "of" in power:
        return any(re.fullmatch(power["of"], group) for group in groups)
    if resources.isdisjoint(power["resources"]):
        return False
    return "groups" not in power or not groups.isdisjoint(power["groups"])


def _role(rule: object, *, everywhere: bool) -> Iterator[str]:
    verbs, resources = _strings(rule, "verbs"), _strings(rule, "resources")
    groups, addresses = _strings(rule, "apiGroups"), _strings(rule, "nonResourceURLs")
    if any(map(_wild, (verbs, resources, groups))) or addresses & {"*", "/*"}:
        yield "has a rule with a wildcard"
    if any(each.startswith(_INSIDES) for each in addresses):
        yield "reads logs and memory of the API server"
    # Impersonation is also asked for by what of an identity is taken over.
    if escalating := {each.partition(":")[0] for each in verbs} & _ESCALATING:
        yield f"lets its holder {', '.join(sorted(escalating))}"
    everything = not _strings(rule, "resourceNames")
    for says, power in _powers().items():
        if (
            (everything or power.get("named"))
            and (everywhere or not power.get("cluster"))
            and not verbs.isdisjoint(power["verbs"])
            and _speaks_of(power, groups, resources)
        ):
            yield says
    if UNKNOWN in (rule, entries(rule, "verbs"), entries(rule, "resources")):
        yield "has a rule that is not known during preview"


def _cluster_role(role: object) -> Iterator[str]:
    """Check what a role takes over from others, and gives to those that every cluster has."""
    selectors = entries(role, "aggregationRule", "clusterRoleSelectors")
    for selector in selectors if isinstance(selectors, tuple) else ():
        if _selects_wide(selector):
            yield "takes over every role, or those of administrators"
    rules = entries(role, "rules")
    writes = any(
        not _strings(rule, "verbs") <= _READING
        for rule in (rules if isinstance(rules, tuple) else ())
    )
    if writes and text(role, "metadata", "labels", f"{AGGREGATE}view") == "true":
        yield "lets those change something who may only read"


def _selects_wide(selector: object) -> bool:
    if selector is UNKNOWN:
        return False
    labels, rows = get(selector, "matchLabels"), entries(selector, "matchExpressions")
    expressions = rows if isinstance(rows, tuple) else ()
    keys = [
        *(labels if is_mapping(labels) else ()),
        *(
            text(each, "key")
            for each in expressions
            if text(each, "operator") in _SELECTS or each is UNKNOWN
        ),
    ]
    wide = {_OF_SYSTEM, *(f"{AGGREGATE}{role}" for role in _WIDE_ROLES)}
    # What only leaves some out selects everything else.
    return UNKNOWN not in (labels, rows) and (not keys or not wide.isdisjoint(keys))


def _binding(binding: object) -> Iterator[str]:
    name = text(binding, "roleRef", "name")
    if isinstance(name, str) and text(binding, "roleRef", "kind") != "Role":
        if name in _WIDE_ROLES:
            yield f"binds {name}"
        elif name.startswith("system:") and name not in _HARMLESS:
            yield "binds a role of the system's own parts"
    subjects = entries(binding, "subjects")
    for subject in subjects if isinstance(subjects, tuple) else ():
        who = text(subject, "name")
        if isinstance(who, str) and _EVERYONE.fullmatch(who):
            yield "binds a group that everyone is in, or that may do everything"
        account = text(subject, "kind") == "ServiceAccount" and who == "default"
        if account or (isinstance(who, str) and _DEFAULT.fullmatch(who)):
            yield "binds the default account, which every pod without its own runs as"


def _fleet(props: object, members: tuple[str, ...]) -> Iterator[str]:
    role = text(props, "role", "predefinedRole")
    if role in ("ADMIN", "EDIT"):
        yield f"binds {role} in every cluster of a fleet"
    for prop in members:
        who = text(props, prop)
        if isinstance(who, str) and _EVERYONE.fullmatch(who):
            yield "binds a group that everyone is in, or that may do everything"


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    if resource.type in _FLEET:
        yield from _fleet(resource.props, _FLEET[resource.type])
        return
    for each in objects(resource.type, resource.props):
        if kind_of(resource.type) in _BINDINGS:
            yield from _binding(each)
            continue
        whole = kind_of(resource.type) == _CLUSTER_ROLE
        if whole:
            yield from _cluster_role(each)
        # What the system itself reads decides over the whole cluster.
        everywhere = whole or text(each, "metadata", "namespace") == "kube-system"
        rules = entries(each, "rules")
        if rules is UNKNOWN:
            yield "its rules are not known during preview"
        for rule in rules if isinstance(rules, tuple) else ():
            yield from _role(rule, everywhere=everywhere)


RULE: Final = ResourceRule(
    id="rbac-no-wildcards",
    display_name="Kubernetes roles are narrow",
    description=(
        "No role has wildcards, reads secrets at large, makes or enters pods, or changes nodes, "
        "volumes, namespaces, certificates, admission or roles; none is bound to everyone, and "
        "neither admin, edit, cluster-admin nor a role of the system is bound."
    ),
    why="One pod with such a role is the whole cluster.",
    remediation=(
        "name the verbs, resources and, for secrets, resourceNames; bind to one service account."
    ),
    severity=Severity.CRITICAL,
    level=EnforcementLevel.MANDATORY,
    url="https://kubernetes.io/docs/concepts/security/rbac-good-practices/",
    references=(
        Reference("CIS GKE", "4.1.1"),
        Reference("CIS GKE", "4.1.2"),
        Reference("CIS GKE", "4.1.3"),
        *(Reference("CIS GKE", f"4.1.{number}") for number in range(4, 11)),
        Reference("checkov", "CKV_K8S_49"),
        Reference("trivy", "KSV-0041"),
        Reference("trivy", "KSV-0044"),
        Reference("trivy", "KSV-0050"),
    ),
    applies=lambda resource_type: (
        kind_of(resource_type) in (*_ROLES, *_BINDINGS) or resource_type in _FLEET
    ),
    check=_check,
)

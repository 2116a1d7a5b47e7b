"""Pods talk only to whom they may."""

from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NamesLimit
from policies.shared.rule import Reference, StackFinding, StackRule
from resources.kubernetes import is_patch, kind_of, objects
from resources.properties import MISSING, entries, get, is_mapping, text
from resources.resource import Resource

_POLICY: Final = "networking.k8s.io/NetworkPolicy"
_NAMESPACE: Final = "core/Namespace"


def _denies(policy: object) -> bool:
    selector = get(policy, "spec", "podSelector")
    selects_all = is_mapping(selector) and all(
        get(selector, name) in (MISSING, {}, ()) for name in ("matchLabels", "matchExpressions")
    )
    kinds = entries(policy, "spec", "policyTypes")
    covers = kinds is MISSING or (isinstance(kinds, tuple) and "Ingress" in kinds)
    return selects_all and covers and entries(policy, "spec", "ingress") in (MISSING, ())


def _names(resource: Resource, value: object, name: str) -> frozenset[object]:
    """Return a name in the metadata with its cluster, and the URNs the metadata is wired from."""
    found = text(value, "metadata", name)
    wired = resource.dependencies.get("metadata", ())
    return frozenset({(resource.provider, found), *wired} if isinstance(found, str) else wired)


def _check(resources: Sequence[Resource], limits: Limits) -> Iterator[StackFinding]:
    allowed = limits.names("openNamespaces")
    isolated: set[object] = set()
    for each in resources:
        if kind_of(each.type) == _POLICY:
            for policy in objects(each.type, each.props):
                isolated |= _names(each, policy, "namespace") if _denies(policy) else set()
    for each in resources:
        if kind_of(each.type) == _NAMESPACE and not is_patch(each.type):
            for namespace in objects(each.type, each.props):
                if text(namespace, "metadata", "name") in allowed:
                    continue
                if not (_names(each, namespace, "name") | {each.urn}) & isolated:
                    yield StackFinding("has no NetworkPolicy that denies by default", each)


RULE: Final = StackRule(
    id="pod-netpol",
    display_name="Namespaces deny by default",
    description=(
        "Every namespace of the stack has a NetworkPolicy that denies ingress by default, unless "
        "it may go without by name."
    ),
    why="Without one, any pod that is broken into can reach every other.",
    remediation="make a NetworkPolicy with an empty podSelector, policyTypes Ingress and no rules.",
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://kubernetes.io/docs/concepts/services-networking/network-policies/",
    references=(
        Reference("CIS GKE", "4.3.2"),
        Reference("kube-linter", "non-isolated-pod"),
    ),
    limits=(
        NamesLimit("openNamespaces", "Namespaces that need no policy that denies", default=()),
    ),
    check=_check,
)

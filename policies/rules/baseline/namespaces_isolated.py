"""Pods talk only to whom they may."""

from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import Severity

from policies.rules.config import Limits
from policies.rules.peek import MISSING, entries, is_mapping, peek
from policies.rules.rule import Reference, Resource, StackFinding, StackRule
from policies.rules.wiring import names_of

_POLICY: Final = "kubernetes:networking.k8s.io/v1:NetworkPolicy"


def _denies(policy: Resource) -> bool:
    selector = peek(policy.props, "spec", "podSelector")
    selects_all = is_mapping(selector) and all(
        peek(selector, name) in (MISSING, {}, ()) for name in ("matchLabels", "matchExpressions")
    )
    kinds = entries(policy.props, "spec", "policyTypes")
    covers = kinds is MISSING or (isinstance(kinds, tuple) and "Ingress" in kinds)
    return selects_all and covers and entries(policy.props, "spec", "ingress") in (MISSING, ())


def _check(resources: Sequence[Resource], _limits: Limits) -> Iterator[StackFinding]:
    isolated: set[str] = set()
    for each in resources:
        if each.type == _POLICY and _denies(each):
            isolated |= names_of(each, "metadata", "namespace")
    for each in resources:
        if each.type == "kubernetes:core/v1:Namespace":
            names = names_of(each, "metadata", "name") | {each.urn}
            if not names & isolated:
                yield StackFinding("has no NetworkPolicy that denies by default", each)


RULE: Final = StackRule(
    id="pod-netpol",
    display_name="Namespaces deny by default",
    description="Every namespace of the stack has a NetworkPolicy that denies ingress by default.",
    why="Without one, any pod that is broken into can reach every other.",
    remediation="make a NetworkPolicy with an empty podSelector, policyTypes Ingress and no rules.",
    severity=Severity.MEDIUM,
    url="https://kubernetes.io/docs/concepts/services-networking/network-policies/",
    references=(
        Reference("CIS GKE", "4.3.2"),
        Reference("kube-linter", "non-isolated-pod"),
    ),
    check=_check,
)

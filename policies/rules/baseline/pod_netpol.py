"""Pods talk only to whom they may."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from catalog.conventions import NAMESPACE_NAME_LABEL as _NAME
from policies.shared.limits import Limits, NamesLimit
from policies.shared.rule import Reference, StackFinding, StackRule
from resources.addresses import is_everywhere
from resources.kubernetes import is_patch, kind_of, objects
from resources.properties import (
    MISSING,
    UNKNOWN,
    Absence,
    all_at,
    elements,
    entries,
    get,
    is_mapping,
    text,
)
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


_ANYWHERE: Final = ("all", "world", "cluster")
# Policies of other kinds than Kubernetes' own: the peers of what they let in.
_INGRESS: Final = ("spec.ingress.*",)
# https://docs.cilium.io/en/stable/security/policy/language/: one specification, or several.
_CILIUM: Final = tuple(
    f"{spec}.{direction}.*.{way}{peers}"
    for spec in ("spec", "specs.*")
    for direction, way in (("ingress", "from"), ("egress", "to"))
    for peers in ("Entities.*", "CIDR.*", "CIDRSet.*.cidr")
)
_OTHERS: Final[Mapping[str, tuple[str, ...]]] = {
    "cilium.io/CiliumClusterwideNetworkPolicy": _CILIUM,
    "cilium.io/CiliumNetworkPolicy": _CILIUM,
    "crd.projectcalico.org/GlobalNetworkPolicy": _INGRESS,
    "crd.projectcalico.org/NetworkPolicy": _INGRESS,
    "policy.networking.k8s.io/AdminNetworkPolicy": _INGRESS,
    "policy.networking.k8s.io/BaselineAdminNetworkPolicy": _INGRESS,
    "policy.networking.k8s.io/ClusterNetworkPolicy": _INGRESS,
    "projectcalico.org/GlobalNetworkPolicy": _INGRESS,
    "projectcalico.org/NetworkPolicy": _INGRESS,
}


def _takes_all(selector: object) -> bool:
    """Return whether a selector takes everything: it asks for nothing that must be there."""
    if not is_mapping(selector):
        return False
    known = elements(selector, "matchExpressions")
    asks = [each for each in known if text(each, "operator") not in ("DoesNotExist", "NotIn")]
    named = [text(each, "key") for each in asks if text(each, "operator") == "Exists"]
    # Every namespace has the label of its name.
    asks = [each for each in asks if text(each, "key") not in named or named != [_NAME] * len(asks)]
    return get(selector, "matchLabels") in (MISSING, {}) and not asks


def _lets_all(policy: object) -> Iterator[str]:
    for index, rule in enumerate(elements(policy, "spec", "ingress")):
        if rule is not UNKNOWN and _is_everyone(entries(rule, "from")):
            yield f"ingress[{index}] lets in everyone, beside the policies that deny"
    for index, rule in enumerate(elements(policy, "spec", "egress")):
        # A port such as that of DNS alone is no way out for all.
        anything = rule is not UNKNOWN and get(rule, "ports") in (MISSING, ())
        if anything and _is_everyone(entries(rule, "to")):
            yield f"egress[{index}] lets out to everywhere, beside the policies that deny"


def _is_everyone(peers: tuple[object, ...] | Absence) -> bool:
    if not isinstance(peers, tuple) or not peers:
        return peers is not UNKNOWN
    return is_everywhere(text(peer, "ipBlock", "cidr") for peer in peers) or any(
        get(peer, "podSelector") in (MISSING, {}) and _takes_all(get(peer, "namespaceSelector"))
        for peer in peers
    )


def _other_lets_all(kind: str, policy: object) -> Iterator[str]:
    for path in _OTHERS[kind]:
        found = [*all_at(policy, path.split("."))]
        if is_everywhere(found) or any(_is_open(kind, each) for each in found):
            says = "lets out to everywhere" if ".egress." in path else "lets in everyone"
            yield f"{path.replace('.*', '[]')} {says}"


def _is_open(kind: str, found: object) -> bool:
    """Return whether a peer, or a rule with its peers, is everyone."""
    allows = text(found, "action") in ("Accept", "Allow")
    peers = elements(found, "from") if is_mapping(found) and allows else ()
    calico = "projectcalico.org/" in kind and allows and _calico_takes_all(get(found, "source"))
    return (
        calico
        or found in _ANYWHERE
        or any(
            _takes_all(get(peer, "namespaces"))
            or _takes_all(get(peer, "pods", "namespaceSelector"))
            for peer in peers
        )
    )


def _calico_takes_all(source: object) -> bool:
    asked = ("selector", "namespaceSelector", "serviceAccounts", "nets")
    found = [get(source, name) for name in asked]
    nets = elements(source, "nets")
    return all(each in (MISSING, "", "all()", {}) for each in found) or is_everywhere(nets)


def _allowing(resources: Sequence[Resource], allowed: Sequence[str]) -> Iterator[StackFinding]:
    """Yield the policies that let all in or out, beside which one that denies is worth nothing."""
    for each in resources:
        kind = kind_of(each.type)
        for policy in objects(each.type, each.props) if kind in (_POLICY, *_OTHERS) else ():
            if kind != _POLICY:
                found = _other_lets_all(kind, policy)
            elif text(policy, "metadata", "namespace") in allowed:
                continue
            else:
                found = _lets_all(policy)
            yield from (StackFinding(finding, each) for finding in found)


def _names(resource: Resource, value: object, name: str) -> frozenset[object]:
    """Return a name in the metadata with its cluster, and the URNs the metadata is wired from."""
    found = text(value, "metadata", name)
    wired = resource.dependencies.get("metadata", ())
    return frozenset({(resource.provider, found), *wired} if isinstance(found, str) else wired)


def _check(resources: Sequence[Resource], limits: Limits) -> Iterator[StackFinding]:
    allowed = limits.names("openNamespaces")
    isolated: set[object] = set()
    yield from _allowing(resources, allowed)
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
        "it may go without by name, and no policy beside it lets everyone in or out."
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

"""What admits objects sees those of the stack."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from catalog.conventions import NAMESPACE_NAME_LABEL as _NAME
from policies.shared.limits import Limits
from policies.shared.rule import StackFinding, StackRule
from resources.kubernetes import kind_of, objects
from resources.properties import MISSING, UNKNOWN, all_at, elements, entries, get, is_mapping, text
from resources.resource import Resource

_A: Final = "admissionregistration.k8s.io/"
_POLICY: Final = f"{_A}ValidatingAdmissionPolicy"
_WEBHOOK: Final = f"{_A}ValidatingWebhookConfiguration"
# Kind: where it says what it looks at. What changes objects is often asked for by a label.
_KINDS: Final[Mapping[str, str]] = {
    _POLICY: "spec.matchConstraints",
    f"{_A}ValidatingAdmissionPolicyBinding": "spec.matchResources",
    _WEBHOOK: "webhooks.*",
}
_NAMESPACE: Final = "core/Namespace"
_PRESENT: Final = ("Exists", "In")


def _labels(namespace: object) -> Mapping[str, object] | None:
    labels, name = get(namespace, "metadata", "labels"), text(namespace, "metadata", "name")
    if not isinstance(name, str) or not (is_mapping(labels) or labels is MISSING):
        return None
    known = {each: get(labels, each) for each in labels} if is_mapping(labels) else {}
    return {**known, _NAME: name}


def _takes(selector: object, labels: Mapping[str, object]) -> bool:
    """Return whether a selector takes what has these labels; what is not known may."""
    wanted = get(selector, "matchLabels")
    for name in list(wanted) if is_mapping(wanted) else ():
        pair = (get(wanted, name), labels.get(name, MISSING))
        if UNKNOWN not in pair and pair[0] != pair[1]:
            return False
    return all(_is_met(each, labels) for each in elements(selector, "matchExpressions"))


def _is_met(asked: object, labels: Mapping[str, object]) -> bool:
    key, values = text(asked, "key"), entries(asked, "values")
    if not isinstance(key, str) or values is UNKNOWN or UNKNOWN in elements(asked, "values"):
        return True
    found = labels.get(key, MISSING)
    return {
        "Exists": found is not MISSING,
        "DoesNotExist": found is MISSING,
        "In": found is UNKNOWN or found in elements(asked, "values"),
        "NotIn": found is UNKNOWN or found not in elements(asked, "values"),
    }.get(str(text(asked, "operator")), True)


def _unmet(judge: object) -> Iterator[str]:
    conditions = elements(judge, "matchConditions")
    if any(text(each, "expression") == "false" for each in conditions):
        yield "has a matchCondition that no request meets"


def _never(looks: object) -> Iterator[str]:
    """Yield why selectors take nothing, whatever the stack has."""
    for name in ("namespaceSelector", "objectSelector"):
        asked = elements(get(looks, name), "matchExpressions")
        absent = {text(each, "key") for each in asked if text(each, "operator") == "DoesNotExist"}
        present = {text(each, "key") for each in asked if text(each, "operator") in _PRESENT}
        labels = get(get(looks, name), "matchLabels")
        present |= {*labels} if is_mapping(labels) else set()
        if (absent & present) - {UNKNOWN}:
            yield f"asks in {name} for a label that is there and is not"


def _nothing(policy: object) -> Iterator[str]:
    """Yield why a policy refuses nothing."""
    if {text(each, "expression") for each in elements(policy, "validations")} == {"true"}:
        yield "has validations that every object passes"
    yield from _unmet(policy)


def _check(resources: Sequence[Resource], _limits: Limits) -> Iterator[StackFinding]:
    judges = [each for each in resources if kind_of(each.type) in _KINDS]
    if not judges:
        return
    namespaces = [
        (each.provider, _labels(namespace))
        for each in resources
        if kind_of(each.type) == _NAMESPACE
        for namespace in objects(each.type, each.props)
    ]
    for each in judges:
        kind = kind_of(each.type)
        there = [labels for provider, labels in namespaces if provider == each.provider] or [
            labels for _, labels in namespaces
        ]
        for made in objects(each.type, each.props):
            if kind == _POLICY:
                for nothing in _nothing(get(made, "spec")):
                    yield StackFinding(nothing, each)
            for looks in all_at(made, _KINDS[kind].split(".")):
                for never in (*(_unmet(looks) if kind == _WEBHOOK else ()), *_never(looks)):
                    yield StackFinding(never, each)
                selector = get(looks, "namespaceSelector")
                if kind == _WEBHOOK and entries(looks, "rules") in (MISSING, ()):
                    yield StackFinding("has a webhook without rules, which no object takes", each)
                elif (
                    is_mapping(selector)
                    and there
                    and not any(labels is None or _takes(selector, labels) for labels in there)
                ):
                    yield StackFinding("selects none of the stack's namespaces", each)


RULE: Final = StackRule(
    id="ai-admission-covers",
    display_name="Admission sees the stack's objects",
    description=(
        "A webhook or policy that refuses objects has rules, and selects a namespace of the stack."
    ),
    why="One that looks at nothing refuses nothing, and looks like a guard.",
    remediation="give the webhook rules, and labels in namespaceSelector that namespaces have.",
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/",
    check=_check,
)

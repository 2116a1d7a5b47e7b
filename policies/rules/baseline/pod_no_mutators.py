"""Nothing changes pods after they were judged."""

from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NamesLimit
from policies.shared.rule import ResourceRule
from resources.kubernetes import kind_of, objects
from resources.properties import MISSING, UNKNOWN, all_at, text
from resources.resource import Resource

_POLICY: Final = ("spec", "matchConstraints", "resourceRules", "*", "resources", "*")
# What has admission change objects, by kind: where it says which, or nowhere.
_MUTATORS: Final[Mapping[str, tuple[str, ...]]] = {
    "admissionregistration.k8s.io/MutatingAdmissionPolicy": _POLICY,
    "admissionregistration.k8s.io/MutatingWebhookConfiguration": (
        *("webhooks", "*", "rules", "*", "resources", "*"),
    ),
    "mutations.gatekeeper.sh/Assign": (),
    "mutations.gatekeeper.sh/AssignImage": (),
    "mutations.gatekeeper.sh/AssignMetadata": (),
    "mutations.gatekeeper.sh/ModifySet": (),
    "policies.kyverno.io/MutatingPolicy": _POLICY,
    "policies.kyverno.io/NamespacedMutatingPolicy": _POLICY,
}
# Of these only some rules do.
_SOME: Final = ("kyverno.io/ClusterPolicy", "kyverno.io/Policy")
_MUTATES: Final = ("spec", "rules", "*", "mutate")
# Pods, what makes them and whom they act as: what concerns none of these may stay.
_PODS: Final = frozenset(
    (
        *("*", "*/*", "cronjobs", "daemonsets", "deployments", "jobs", "pods", "pods/*"),
        *("pods/ephemeralcontainers", "podtemplates", "replicasets", "replicationcontrollers"),
        *("serviceaccounts", "statefulsets"),
    )
)


def _changes_pods(kind: str, made: object) -> bool:
    if kind in _SOME:
        return any(found is not MISSING for found in all_at(made, _MUTATES))
    path = _MUTATORS[kind]
    named = {*all_at(made, path)} - {MISSING} if path else set[object]()
    return not named or UNKNOWN in named or not _PODS.isdisjoint(named)


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    for made in objects(resource.type, resource.props):
        name = text(made, "metadata", "name")
        if name not in limits.names("allowed") and _changes_pods(kind_of(resource.type), made):
            yield "changes pods, or what makes them, after they were judged"


RULE: Final = ResourceRule(
    id="pod-no-mutators",
    display_name="Nothing changes pods afterwards",
    description="No webhook or policy of admission changes pods, or what makes them.",
    why=(
        "What it adds, be it a container, a right on the node or a key, no rule on the program "
        "sees."
    ),
    remediation="write the change into the program, or name the object in allowed.",
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/",
    limits=(NamesLimit("allowed", "Objects that may change pods, by metadata.name", default=()),),
    applies=lambda resource_type: kind_of(resource_type) in (*_MUTATORS, *_SOME),
    check=_check,
)

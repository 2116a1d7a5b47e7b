"""What inspects or admits a request refuses when it fails."""

from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import ResourceRule
from request_path.extensions import kind_of as kind_of_extension
from request_path.reading.extensions import extension
from resources.kubernetes import kind_of, objects
from resources.properties import UNKNOWN, all_at, entries, get
from resources.resource import Resource

_CHAINS: Final = ("extensionChains.*.extensions.*.failOpen",)
_N: Final = "gcp:networkservices/"
# Type token or kind: where it says what happens on failure.
_SWITCHES: Final[Mapping[str, tuple[str, ...]]] = {
    f"{_N}authzExtension:AuthzExtension": ("failOpen",),
    f"{_N}lbEdgeExtension:LbEdgeExtension": _CHAINS,
    f"{_N}lbRouteExtension:LbRouteExtension": _CHAINS,
    f"{_N}lbTrafficExtension:LbTrafficExtension": _CHAINS,
}
# A hook of Apigee goes on where nothing says that it must not.
_HOOK: Final = "gcp:apigee/flowhook:Flowhook"
# Chains that no request takes inspect nothing.
_MATCHES: Final = ("extensionChains.*.matchCondition.celExpression",)
_TRAFFIC: Final = "networking.gke.io/GCPTrafficExtension"
_WEBHOOKS: Final = "webhooks.*.failurePolicy"
_EXTENSIONS: Final = ("spec.extensionChains.*.extensions.*.failOpen",)
_KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "admissionregistration.k8s.io/MutatingWebhookConfiguration": (_WEBHOOKS,),
    "admissionregistration.k8s.io/MutatingAdmissionPolicy": ("spec.failurePolicy",),
    "admissionregistration.k8s.io/ValidatingAdmissionPolicy": ("spec.failurePolicy",),
    "admissionregistration.k8s.io/ValidatingWebhookConfiguration": (_WEBHOOKS,),
    "admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding": (
        "spec.paramRef.parameterNotFoundAction",
    ),
    "extensions.istio.io/WasmPlugin": ("spec.failStrategy",),
    "gateway.envoyproxy.io/EnvoyExtensionPolicy": (
        *("spec.extProc.*.failOpen", "spec.wasm.*.failOpen"),
    ),
    "gateway.envoyproxy.io/SecurityPolicy": ("spec.extAuth.failOpen",),
    "kyverno.io/ClusterPolicy": (
        *("spec.failurePolicy", "spec.validationFailureAction"),
        *("spec.rules.*.validate.failureAction", "spec.webhookConfiguration.failurePolicy"),
    ),
    "kyverno.io/Policy": (
        *("spec.failurePolicy", "spec.validationFailureAction"),
        "spec.rules.*.validate.failureAction",
    ),
    "networking.gke.io/GCPAuthzExtension": ("spec.failOpen",),
    "networking.gke.io/GCPRoutingExtension": _EXTENSIONS,
    _TRAFFIC: _EXTENSIONS,
}
_BINDING: Final = "admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding"
# Constraints of Gatekeeper, whose kinds are one's own.
_CONSTRAINTS: Final = "constraints.gatekeeper.sh/"
# What takes objects out of admission by being there.
_EXCEPTIONS: Final = ("kyverno.io/PolicyException", "policies.kyverno.io/PolicyException")
_ENFORCES: Final = ("spec.enforcementAction",)
_OPEN: Final = (True, "true", "Ignore", "Allow", "Audit", "audit", "FAIL_OPEN", "dryrun", "warn")


def _told_here(kind: str, holder: object, path: str) -> Iterator[object]:
    """Yield what stands at a path; not of a guardrail, which ai-guardrail-on-every-path judges."""
    *owners, switch = path.split(".")
    for owner in all_at(holder, owners):
        if kind != _TRAFFIC or not kind_of_extension(extension(owner, "")).guards:
            yield get(owner, switch)


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    kind = kind_of(resource.type)
    if kind in _EXCEPTIONS:
        yield "takes what it matches out of admission"
        return
    if resource.type == _HOOK:
        if get(resource.props, "continueOnError") not in (False, UNKNOWN):
            yield "continueOnError lets through what it could not inspect"
        return
    paths = _SWITCHES.get(resource.type) or _KINDS.get(kind, _ENFORCES)
    for path in _MATCHES if paths is _CHAINS else ():
        if "false" in {*all_at(resource.props, path.split("."))}:
            yield "has a chain that no request takes"
    for each in objects(resource.type, resource.props):
        for path in paths:
            if any(value in _OPEN for value in _told_here(kind, each, path)):
                yield f"{path.replace('.*', '[]')} lets through what it could not inspect"
        if kind_of(resource.type) == _BINDING:
            actions = entries(each, "spec", "validationActions")
            if isinstance(actions, tuple) and not {"Deny", UNKNOWN} & {*actions}:
                yield "validationActions refuse nothing"


RULE: Final = ResourceRule(
    id="ai-extensions-fail-closed",
    display_name="Inspection fails closed",
    description=(
        "Extensions of load balancers, authorization and admission refuse a request that they "
        "could not inspect."
    ),
    why="Whoever makes it fail, by load or by a large request, goes past it.",
    remediation="set failOpen to false, or failurePolicy to Fail.",
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/service-extensions/docs/callouts-best-practices",
    applies=lambda resource_type: (
        resource_type in (*_SWITCHES, _HOOK)
        or kind_of(resource_type) in (*_KINDS, *_EXCEPTIONS)
        or kind_of(resource_type).startswith(_CONSTRAINTS)
    ),
    check=_check,
)

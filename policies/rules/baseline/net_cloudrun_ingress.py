"""A service without servers is reached from inside, or by a load balancer."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.expected import Expected, unmet
from policies.shared.limits import Limits, NamesLimit
from policies.shared.rule import Reference, StackFinding, StackRule
from policies.shared.types import CLOUD_RUN_FIRST
from resources.properties import UNKNOWN, flag, get, text
from resources.resource import Resource, Stack, stack_of

_SERVICE: Final = "gcp:cloudrunv2/service:Service"
_INTERNAL: Final = ("INGRESS_TRAFFIC_INTERNAL_ONLY", "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER")
_FUNCTIONS: Final = ("ALLOW_INTERNAL_ONLY", "ALLOW_INTERNAL_AND_GCLB")
_INGRESS: Final[Mapping[str, Expected]] = {
    _SERVICE: Expected("ingress", _INTERNAL),
    "gcp:cloudfunctions/function:Function": Expected("ingressSettings", _FUNCTIONS),
    "gcp:cloudfunctionsv2/function:Function": Expected("serviceConfig.ingressSettings", _FUNCTIONS),
}
# What names the account that a gateway of API Gateway calls its backends as, and who may call one.
_GATEWAY_CONFIG: Final = "gcp:apigateway/apiConfig:ApiConfig"
_CALLER: Final = "gcp:cloudrunv2/serviceIamMember:ServiceIamMember"
_MAPPINGS: Final = ("gcp:cloudrun/domainMapping:DomainMapping",)
_ANNOTATION: Final = "run.googleapis.com/ingress"


def _check(resources: Sequence[Resource], limits: Limits) -> Iterator[StackFinding]:
    stack = stack_of(resources)
    behind_gateways = _behind_gateways(stack)
    for token in (CLOUD_RUN_FIRST, *_INGRESS, *_MAPPINGS):
        for resource in stack.by_type.get(token, ()):
            if resource.urn not in behind_gateways:
                yield from (StackFinding(each, resource) for each in _open(resource, limits))


def _behind_gateways(stack: Stack) -> set[str]:
    """Return the URNs of services that a gateway of API Gateway calls.

    It calls the public address of its backend, as an account that may: the others may not.
    """
    accounts = {
        urn
        for config in stack.by_type.get(_GATEWAY_CONFIG, ())
        for urn in config.dependencies.get("gatewayConfig", ())
    }
    return {
        service
        for grant in stack.by_type.get(_CALLER, ())
        if not accounts.isdisjoint(grant.dependencies.get("member", ()))
        for service in grant.dependencies.get("name", ())
    }


def _open(resource: Resource, limits: Limits) -> Iterator[str]:
    if resource.type in _MAPPINGS:
        yield "gives a service a name on the internet"
        return
    if resource.type == CLOUD_RUN_FIRST:
        found = get(resource.props, "metadata", "annotations", _ANNOTATION)
        if found not in ("internal", "internal-and-cloud-load-balancing"):
            yield f"its annotation {_ANNOTATION} is neither internal nor for load balancers"
        return
    yield from unmet(resource.props, (_INGRESS[resource.type],))
    if resource.type != _SERVICE:
        return
    ingress = text(resource.props, "ingress")
    # Behind a load balancer its own address is a second way in, past Cloud Armor and IAP.
    has_address = flag(resource.props, "defaultUriDisabled") is not True
    if has_address and ingress in _INTERNAL and ingress not in limits.names("ownAddress"):
        yield "has an address of its own: defaultUriDisabled is not true"
    elif ingress is UNKNOWN and has_address:
        yield "may have an address of its own: its ingress is not known during preview"


RULE: Final = StackRule(
    id="net-cloudrun-ingress",
    display_name="Cloud Run is internal",
    description=(
        "A Cloud Run service or function takes internal traffic, or that of a load balancer, only, "
        "and has an address of its own only where that is allowed, or an API gateway calls it "
        "by that."
    ),
    why="Its public name is open to anyone who wants to try tokens or exploits on it.",
    remediation=(
        "set ingress to INGRESS_TRAFFIC_INTERNAL_ONLY or INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER, "
        "and defaultUriDisabled behind a load balancer."
    ),
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/run/docs/securing/ingress",
    references=(Reference("checkov", "CKV_GCP_124"),),
    limits=(
        NamesLimit(
            "ownAddress",
            "Ingress with which the run.app address may stay on",
            _INTERNAL,
            default=("INGRESS_TRAFFIC_INTERNAL_ONLY",),
        ),
    ),
    check=_check,
)

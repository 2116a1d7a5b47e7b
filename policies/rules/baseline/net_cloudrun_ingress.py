"""A service without servers is reached from inside, or by a load balancer."""

from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.expected import Expected, unmet
from policies.shared.limits import Limits, NamesLimit
from policies.shared.rule import Reference, ResourceRule
from resources.properties import UNKNOWN, flag, get, text
from resources.resource import Resource

_SERVICE: Final = "gcp:cloudrunv2/service:Service"
_CLASSIC: Final = "gcp:cloudrun/service:Service"
_INTERNAL: Final = ("INGRESS_TRAFFIC_INTERNAL_ONLY", "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER")
_FUNCTIONS: Final = ("ALLOW_INTERNAL_ONLY", "ALLOW_INTERNAL_AND_GCLB")
_INGRESS: Final[Mapping[str, Expected]] = {
    _SERVICE: Expected("ingress", _INTERNAL),
    "gcp:cloudfunctions/function:Function": Expected("ingressSettings", _FUNCTIONS),
    "gcp:cloudfunctionsv2/function:Function": Expected("serviceConfig.ingressSettings", _FUNCTIONS),
}
_MAPPINGS: Final = ("gcp:cloudrun/domainMapping:DomainMapping",)
_ANNOTATION: Final = "run.googleapis.com/ingress"


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    if resource.type in _MAPPINGS:
        yield "gives a service a name on the internet"
        return
    if resource.type == _CLASSIC:
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


RULE: Final = ResourceRule(
    id="net-cloudrun-ingress",
    display_name="Cloud Run is internal",
    description=(
        "A Cloud Run service or function takes internal traffic, or that of a load balancer, only, "
        "and has an address of its own only where that is allowed."
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
    applies=lambda resource_type: resource_type in (_CLASSIC, *_INGRESS, *_MAPPINGS),
    check=_check,
)

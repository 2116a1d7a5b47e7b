"""Load balancers take modern TLS only, external ones behind Cloud Armor."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import Severity

from policies.rules.config import Limits
from policies.rules.expected import Expected, unmet
from policies.rules.peek import MISSING, peek, text
from policies.rules.rule import Reference, Resource, ResourceRule

_POLICIES: Final = (
    "gcp:compute/regionSslPolicy:RegionSslPolicy",
    "gcp:compute/sSLPolicy:SSLPolicy",
)
_BACKENDS: Final = (
    "gcp:compute/backendService:BackendService",
    "gcp:compute/regionBackendService:RegionBackendService",
)
_MODERN: Final = (Expected("minTlsVersion", ("TLS_1_2", "TLS_1_3")),)
_EXTERNAL: Final = ("EXTERNAL", "EXTERNAL_MANAGED")


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    if resource.type in _POLICIES:
        yield from unmet(resource.props, _MODERN)
        return
    scheme = text(resource.props, "loadBalancingScheme")
    # Left out, a global one is external and a regional one internal.
    external = scheme in _EXTERNAL or (scheme is MISSING and resource.type == _BACKENDS[0])
    if external and peek(resource.props, "securityPolicy") is MISSING:
        yield "is external and has no securityPolicy"


RULE: Final = ResourceRule(
    id="net-lb-tls-armor",
    display_name="Load balancers use TLS and Cloud Armor",
    description=(
        "SSL policies start at TLS 1.2, and external backend services have a security policy."
    ),
    why=(
        "Old TLS can be read by others, and without Cloud Armor nothing stops floods and known "
        "attacks."
    ),
    remediation="set minTlsVersion to TLS_1_2 or later, and securityPolicy on the backend service.",
    severity=Severity.MEDIUM,
    url="https://cloud.google.com/load-balancing/docs/ssl-policies-concepts",
    references=(
        Reference("CIS Google Cloud", "3.9"),
        Reference("checkov", "CKV_GCP_4"),
        Reference("trivy", "GCP-0039"),
    ),
    applies=lambda resource_type: resource_type in _POLICIES or resource_type in _BACKENDS,
    check=_check,
)

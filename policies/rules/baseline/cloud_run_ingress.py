"""A Cloud Run service is reached from inside, or by a load balancer."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import Severity

from policies.rules.config import Limits
from policies.rules.expected import Expected, unmet
from policies.rules.rule import Reference, Resource, ResourceRule

_INGRESS: Final = (
    Expected(
        "ingress", ("INGRESS_TRAFFIC_INTERNAL_ONLY", "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER")
    ),
)


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    yield from unmet(resource.props, _INGRESS)


RULE: Final = ResourceRule(
    id="net-cloudrun-ingress",
    display_name="Cloud Run is internal",
    description="A Cloud Run service takes internal traffic, or that of a load balancer, only.",
    why="Its public name is open to anyone who wants to try tokens or exploits on it.",
    remediation=(
        "set ingress to INGRESS_TRAFFIC_INTERNAL_ONLY or INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER."
    ),
    severity=Severity.MEDIUM,
    url="https://cloud.google.com/run/docs/securing/ingress",
    references=(Reference("checkov", "CKV_GCP_124"),),
    applies=lambda resource_type: resource_type == "gcp:cloudrunv2/service:Service",
    check=_check,
)

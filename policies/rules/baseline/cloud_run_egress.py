"""Cloud Run sends all its traffic through the network."""

from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import Severity

from policies.rules.config import Limits
from policies.rules.expected import Expected, unmet
from policies.rules.rule import Resource, ResourceRule

_EGRESS: Final[Mapping[str, str]] = {
    "gcp:cloudrunv2/job:Job": "template.template.vpcAccess.egress",
    "gcp:cloudrunv2/service:Service": "template.vpcAccess.egress",
    "gcp:cloudrunv2/workerPool:WorkerPool": "template.vpcAccess.egress",
}


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    yield from unmet(resource.props, (Expected(_EGRESS[resource.type], ("ALL_TRAFFIC",)),))


RULE: Final = ResourceRule(
    id="net-cloudrun-egress",
    display_name="Cloud Run leaves by the VPC",
    description="A Cloud Run service, job or worker pool sends all traffic through the VPC.",
    why=(
        "Traffic that leaves another way passes no firewall, no NAT log and no private Google "
        "API address."
    ),
    remediation=(
        "set vpcAccess.networkInterfaces and vpcAccess.egress to ALL_TRAFFIC in the template."
    ),
    severity=Severity.LOW,
    url="https://cloud.google.com/run/docs/configuring/vpc-direct-vpc",
    applies=lambda resource_type: resource_type in _EGRESS,
    check=_check,
)

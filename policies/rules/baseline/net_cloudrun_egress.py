"""Cloud Run sends all its traffic through the network.

Worth it where a service perimeter is enforced, for it reaches Google's services by the restricted
addresses only from within the network: an environment without one leaves the rule off.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.expected import Expected, unmet
from policies.shared.limits import Limits
from policies.shared.rule import ResourceRule
from resources.properties import MISSING, entries, get
from resources.resource import Resource

_ACCESS: Final[Mapping[str, str]] = {
    "gcp:cloudrunv2/job:Job": "template.template.vpcAccess",
    "gcp:cloudrunv2/service:Service": "template.vpcAccess",
    "gcp:cloudrunv2/workerPool:WorkerPool": "template.vpcAccess",
}
_FUNCTIONS: Final[Mapping[str, Expected]] = {
    "gcp:cloudfunctions/function:Function": Expected(
        "vpcConnectorEgressSettings", ("ALL_TRAFFIC",)
    ),
    "gcp:cloudfunctionsv2/function:Function": Expected(
        "serviceConfig.vpcConnectorEgressSettings", ("ALL_TRAFFIC",)
    ),
}


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    if resource.type in _FUNCTIONS:
        yield from unmet(resource.props, (_FUNCTIONS[resource.type],))
        return
    path = _ACCESS[resource.type]
    yield from unmet(resource.props, (Expected(f"{path}.egress", ("ALL_TRAFFIC",)),))
    access = get(resource.props, *path.split("."))
    # A network or connector that is not known yet is wired from another resource.
    by_network = entries(access, "networkInterfaces") not in (MISSING, ())
    if not by_network and get(access, "connector") in (MISSING, ""):
        yield f"{path} has neither networkInterfaces nor a connector"


RULE: Final = ResourceRule(
    id="net-cloudrun-egress",
    display_name="Cloud Run leaves by the VPC",
    description=(
        "A Cloud Run service, job, worker pool or function sends all traffic through the VPC."
    ),
    why=(
        "Traffic that leaves another way passes no firewall, no NAT log and no private Google "
        "API address."
    ),
    remediation=(
        "set vpcAccess.networkInterfaces and vpcAccess.egress to ALL_TRAFFIC in the template."
    ),
    severity=Severity.LOW,
    level=EnforcementLevel.DISABLED,
    url="https://cloud.google.com/run/docs/configuring/vpc-direct-vpc",
    applies=lambda resource_type: resource_type in _ACCESS or resource_type in _FUNCTIONS,
    check=_check,
)

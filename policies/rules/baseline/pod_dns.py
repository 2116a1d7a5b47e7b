"""Pods ask the cluster's DNS, and take no names from elsewhere."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import ResourceRule
from resources.pods import changes_pods, pod_specs
from resources.properties import MISSING, UNKNOWN, entries, text
from resources.resource import Resource

_OWN: Final = ("None", "Default")


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    for spec in pod_specs(resource.type, resource.props):
        if text(spec, "dnsPolicy") in _OWN:
            yield "has a dnsPolicy past the cluster's DNS"
        if entries(spec, "dnsConfig", "nameservers") not in (MISSING, (), UNKNOWN):
            yield "names DNS servers of its own"
        if entries(spec, "hostAliases") not in (MISSING, (), UNKNOWN):
            yield "has hostAliases past DNS"


RULE: Final = ResourceRule(
    id="pod-dns",
    display_name="Pods use the cluster's DNS",
    description="No pod has name servers, a DNS policy or host names of its own.",
    why=(
        "Whoever answers for a name gets what is sent to it, and a query takes data out past the "
        "perimeter."
    ),
    remediation="leave dnsPolicy at ClusterFirst, and dnsConfig.nameservers and hostAliases out.",
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/",
    applies=changes_pods,
    check=_check,
)

"""A published service accepts named consumers only, each within a limit."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import ResourceRule
from resources.properties import UNKNOWN, Absence, entries, number, text
from resources.resource import Resource


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    if text(resource.props, "connectionPreference") != "ACCEPT_MANUAL":
        yield "connectionPreference is not ACCEPT_MANUAL"
    consumers = entries(resource.props, "consumerAcceptLists")
    if consumers is UNKNOWN:
        yield "accepts consumers that are not known during preview, nor their limits"
    for consumer in consumers if isinstance(consumers, tuple) else ():
        limit = number(consumer, "connectionLimit")
        if isinstance(limit, Absence) or limit == 0:
            yield "accepts a consumer without a known connectionLimit"


RULE: Final = ResourceRule(
    id="net-psc-attachment-explicit",
    display_name="Consumers are accepted one by one",
    description="A service attachment accepts named consumers, each with a limit of connections.",
    why="An automatic attachment accepts whoever knows its name, from any organization.",
    remediation=(
        "set connectionPreference to ACCEPT_MANUAL, and a connectionLimit on each of "
        "consumerAcceptLists."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/vpc/docs/configure-private-service-connect-producer",
    applies=lambda resource_type: (
        resource_type == "gcp:compute/serviceAttachment:ServiceAttachment"
    ),
    check=_check,
)

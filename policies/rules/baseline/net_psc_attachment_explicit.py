"""A published service accepts named consumers only, each within a limit."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NumberLimit
from policies.shared.rule import ResourceRule
from resources.kubernetes import kind_of, objects
from resources.properties import UNKNOWN, Absence, entries, get, number, show, text
from resources.resource import Resource

_ATTACHMENT: Final = "gcp:compute/serviceAttachment:ServiceAttachment"
_KIND: Final = "networking.gke.io/ServiceAttachment"


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    if resource.type == _ATTACHMENT:
        yield from _attachment(resource.props, "consumerAcceptLists", limits)
        return
    for each in objects(resource.type, resource.props):
        yield from _attachment(get(each, "spec"), "consumerAllowList", limits)


def _attachment(attachment: object, accepted: str, limits: Limits) -> Iterator[str]:
    most = limits.number("maxConnections")
    if text(attachment, "connectionPreference") != "ACCEPT_MANUAL":
        yield "connectionPreference is not ACCEPT_MANUAL"
    consumers = entries(attachment, accepted)
    if consumers is UNKNOWN:
        yield "accepts consumers that are not known during preview, nor their limits"
    for consumer in consumers if isinstance(consumers, tuple) else ():
        limit = number(consumer, "connectionLimit")
        if isinstance(limit, Absence) or limit == 0:
            yield "accepts a consumer without a known connectionLimit"
        elif limit > most:
            yield f"accepts {show(limit)} connections of a consumer, allowed {show(most)}"
    spread = number(attachment, "propagatedConnectionLimit")
    if isinstance(spread, float) and spread > most:
        yield f"accepts {show(spread)} propagated connections, allowed {show(most)}"


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
    limits=(NumberLimit("maxConnections", "Most connections of one consumer", default=100),),
    applies=lambda resource_type: resource_type == _ATTACHMENT or kind_of(resource_type) == _KIND,
    check=_check,
)

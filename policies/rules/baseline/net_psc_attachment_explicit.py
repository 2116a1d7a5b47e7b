"""A published service accepts named consumers only, each within a limit."""

from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NamesLimit, NumberLimit
from policies.shared.projects import project_of
from policies.shared.rule import ResourceRule
from resources.kubernetes import kind_of, objects
from resources.properties import UNKNOWN, Absence, all_at, entries, get, number, show, text
from resources.resource import Resource

_ATTACHMENT: Final = "gcp:compute/serviceAttachment:ServiceAttachment"
_KIND: Final = "networking.gke.io/ServiceAttachment"
_NETWORK: Final = "gcp:compute/networkAttachment:NetworkAttachment"
# Type token or kind: where it names who may connect, by project or network.
_CONSUMERS: Final[Mapping[str, tuple[str, ...]]] = {
    "gcp:alloydb/instance:Instance": ("pscInstanceConfig.allowedConsumerProjects.*",),
    "gcp:apigee/instance:Instance": ("consumerAcceptLists.*",),
    _NETWORK: ("producerAcceptLists.*",),
    _ATTACHMENT: ("consumerAcceptLists.*.networkUrl", "consumerAcceptLists.*.projectIdOrNum"),
    "gcp:looker/instance:Instance": ("pscConfig.allowedVpcs.*",),
    "gcp:networkconnectivity/serviceConnectionPolicy:ServiceConnectionPolicy": (
        "pscConfig.allowedGoogleProducersResourceHierarchyLevels.*",
    ),
    "gcp:sql/databaseInstance:DatabaseInstance": (
        "settings.ipConfiguration.pscConfigs.*.allowedConsumerProjects.*",
    ),
    "gcp:vertex/aiEndpoint:AiEndpoint": ("privateServiceConnectConfig.projectAllowlists.*",),
    "gcp:vertex/aiIndexEndpoint:AiIndexEndpoint": (
        "privateServiceConnectConfig.projectAllowlists.*",
    ),
    _KIND: ("spec.consumerAllowList.*.network", "spec.consumerAllowList.*.project"),
}


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    allowed = limits.names("consumers")
    paths = _CONSUMERS.get(resource.type) or _CONSUMERS[kind_of(resource.type)]
    for each in objects(resource.type, resource.props):
        if resource.type == _ATTACHMENT:
            yield from _attachment(each, "consumerAcceptLists", limits)
        elif kind_of(resource.type) == _KIND:
            yield from _attachment(get(each, "spec"), "consumerAllowList", limits)
        elif resource.type == _NETWORK and text(each, "connectionPreference") == "ACCEPT_AUTOMATIC":
            yield "connectionPreference is not ACCEPT_MANUAL"
        found = (value for path in paths for value in all_at(each, path.split(".")))
        if allowed and any(isinstance(e, str) and _project(e) not in allowed for e in found):
            yield "accepts a consumer that the environment does not name"


def _project(consumer: str) -> str:
    return project_of(consumer) or consumer


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
            yield f"accepts {show(limit, 'connection')} of a consumer, allowed {show(most)}"
    spread = number(attachment, "propagatedConnectionLimit")
    if isinstance(spread, float) and spread > most:
        yield f"accepts {show(spread)} propagated connections, allowed {show(most)}"


RULE: Final = ResourceRule(
    id="net-psc-attachment-explicit",
    display_name="Consumers are accepted one by one",
    description=(
        "What is published by Private Service Connect accepts consumers that the environment "
        "names, each with a limit of connections."
    ),
    why="An automatic attachment accepts whoever knows its name, from any organization.",
    remediation=(
        "set connectionPreference to ACCEPT_MANUAL, and a connectionLimit on each of "
        "consumerAcceptLists; name consumers in the rule's limits."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/vpc/docs/configure-private-service-connect-producer",
    limits=(
        NumberLimit("maxConnections", "Most connections of one consumer", default=100),
        NamesLimit(
            "consumers",
            "IDs of the projects that may be accepted; where none is named, any",
            default=(),
        ),
    ),
    applies=lambda resource_type: (
        resource_type in _CONSUMERS or kind_of(resource_type) in _CONSUMERS
    ),
    check=_check,
)

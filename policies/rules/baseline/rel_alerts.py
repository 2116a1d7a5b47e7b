"""Somebody is told when the service is down."""

from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import StackFinding, StackRule
from resources.durations import seconds
from resources.properties import MISSING, entries, flag, listed
from resources.resource import Resource, stack_of

_ALERT: Final = "gcp:monitoring/alertPolicy:AlertPolicy"
_CHANNEL: Final = "gcp:monitoring/notificationChannel:NotificationChannel"
_SERVING: Final = (
    "gcp:cloudfunctionsv2/function:Function",
    "gcp:cloudrun/service:Service",
    "gcp:cloudrunv2/service:Service",
    "gcp:container/cluster:Cluster",
    "gcp:vertex/aiEndpoint:AiEndpoint",
    "gcp:vertex/aiEndpointWithModelGardenDeployment:AiEndpointWithModelGardenDeployment",
)


_SINKS: Final = tuple(
    f"gcp:logging/{each[0].lower()}{each[1:]}Sink:{each}Sink"
    for each in ("BillingAccount", "Folder", "Organization", "Project")
)
_CONDITIONS: Final = (
    "conditionAbsent",
    "conditionMonitoringQueryLanguage",
    "conditionPrometheusQueryLanguage",
    "conditionThreshold",
)
_LONGEST: Final = 86400.0


def _waits(props: object) -> Iterator[float]:
    """Yield the seconds that each condition of a policy has to hold before it alerts."""
    for condition in listed(props, "conditions"):
        found = [seconds(condition, name, "duration") for name in _CONDITIONS]
        yield from (each for each in found if isinstance(each, float))


def _check(resources: Sequence[Resource], _limits: Limits) -> Iterator[StackFinding]:
    alerts = [each for each in resources if each.type == _ALERT]
    enabled = [each for each in alerts if flag(each.props, "enabled") is not False]
    if not enabled and any(each.type in _SERVING for each in resources):
        yield StackFinding("serves, and has no alert policy that is switched on")
    for each in (*alerts, *(each for each in resources if each.type == _CHANNEL)):
        if flag(each.props, "enabled") is False:
            yield StackFinding("is switched off", each)
    for token in _SINKS:
        for each in stack_of(resources).by_type.get(token, ()):
            if flag(each.props, "disabled") is True:
                yield StackFinding("keeps no logs: it is switched off", each)
    for each in alerts:
        if any(found > _LONGEST for found in _waits(each.props)):
            yield StackFinding("waits longer than a day before it alerts", each)
        if entries(each.props, "notificationChannels") in (MISSING, ()):
            yield StackFinding("alerts nobody: it has no notificationChannels", each)


RULE: Final = StackRule(
    id="rel-alerts",
    display_name="Somebody is told",
    description=(
        "A stack that serves has alert policies, each with a notification channel, and neither "
        "they nor channels or sinks are switched off."
    ),
    why="Users would be the monitoring.",
    remediation="make gcp.monitoring.AlertPolicy with notificationChannels.",
    severity=Severity.LOW,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/monitoring/alerts",
    check=_check,
)

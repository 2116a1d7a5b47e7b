"""Somebody is told when the service is down."""

from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import StackFinding, StackRule
from resources.properties import MISSING, entries, flag
from resources.resource import Resource

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


def _check(resources: Sequence[Resource], _limits: Limits) -> Iterator[StackFinding]:
    alerts = [each for each in resources if each.type == _ALERT]
    enabled = [each for each in alerts if flag(each.props, "enabled") is not False]
    if not enabled and any(each.type in _SERVING for each in resources):
        yield StackFinding("serves, and has no alert policy that is switched on")
    for each in (*alerts, *(each for each in resources if each.type == _CHANNEL)):
        if flag(each.props, "enabled") is False:
            yield StackFinding("is switched off", each)
    for each in alerts:
        if entries(each.props, "notificationChannels") in (MISSING, ()):
            yield StackFinding("alerts nobody: it has no notificationChannels", each)


RULE: Final = StackRule(
    id="rel-alerts",
    display_name="Somebody is told",
    description="A stack that serves has alert policies, each with a notification channel.",
    why="Users would be the monitoring.",
    remediation="make gcp.monitoring.AlertPolicy with notificationChannels.",
    severity=Severity.LOW,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/monitoring/alerts",
    check=_check,
)

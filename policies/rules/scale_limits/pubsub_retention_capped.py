"""Pub/Sub keeps messages no longer than a cap."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import Severity

from policies.rules.config import Limits, NumberLimit
from policies.rules.durations import seconds
from policies.rules.peek import UNKNOWN, flag, show
from policies.rules.rule import Resource, ResourceRule

_TYPES: Final = ("gcp:pubsub/subscription:Subscription", "gcp:pubsub/topic:Topic")
_DAY: Final = 86400.0


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    cap = limits.number("maxDays")
    retention = seconds(resource.props, "messageRetentionDuration")
    if retention is UNKNOWN:
        yield f"its messageRetentionDuration is not known during preview, allowed {show(cap)} days"
    elif isinstance(retention, float) and retention > cap * _DAY:
        yield f"keeps messages for {show(retention / _DAY)} days, allowed {show(cap)} days"
    if flag(resource.props, "retainAckedMessages") in (True, UNKNOWN):
        yield "keeps messages that are acknowledged"


RULE: Final = ResourceRule(
    id="scale-pubsub-retention",
    display_name="Pub/Sub retention is capped",
    description=(
        "Topics and subscriptions keep messages within the cap, and none that are acknowledged."
    ),
    why=(
        "Kept messages are billed storage, and a backlog that grows for weeks hides a broken "
        "consumer."
    ),
    remediation="set messageRetentionDuration within the cap and leave retainAckedMessages out.",
    severity=Severity.LOW,
    url="https://cloud.google.com/pubsub/docs/subscription-properties#message_retention",
    limits=(NumberLimit("maxDays", "Longest retention of messages, in days"),),
    applies=lambda resource_type: resource_type in _TYPES,
    check=_check,
)

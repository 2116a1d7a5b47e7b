"""Pub/Sub keeps messages no longer than a cap."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NumberLimit
from policies.shared.rule import ResourceRule
from resources.durations import seconds
from resources.properties import MISSING, UNKNOWN, flag, get, number, show
from resources.resource import Resource

_SUBSCRIPTION: Final = "gcp:pubsub/subscription:Subscription"
_TYPES: Final = (_SUBSCRIPTION, "gcp:pubsub/topic:Topic")
_DAY: Final = 86400.0


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    cap = limits.number("maxDays")
    retention = seconds(resource.props, "messageRetentionDuration")
    if retention is UNKNOWN:
        yield f"its messageRetentionDuration is {retention.value}, allowed {show(cap, 'day')}"
    elif isinstance(retention, float) and retention > cap * _DAY:
        yield f"keeps messages for {show(retention / _DAY, 'day')}, allowed {show(cap, 'day')}"
    if flag(resource.props, "retainAckedMessages") in (True, UNKNOWN):
        yield "keeps messages that are acknowledged"
    if resource.type != _SUBSCRIPTION:
        return
    if get(resource.props, "expirationPolicy") is MISSING:
        yield "has no expirationPolicy: after 31 days without readers it is deleted"
    most, deadline = limits.number("maxAckSeconds"), number(resource.props, "ackDeadlineSeconds")
    if deadline is UNKNOWN or (isinstance(deadline, float) and deadline > most):
        yield f"its ackDeadlineSeconds is {show(deadline)}, allowed {show(most)}"


RULE: Final = ResourceRule(
    id="scale-pubsub-retention",
    display_name="Pub/Sub retention is capped",
    description=(
        "Topics and subscriptions keep messages within the cap, none that are acknowledged, and a "
        "subscription says when it expires."
    ),
    why=(
        "Kept messages are billed storage, and a backlog that grows for weeks hides a broken "
        "consumer."
    ),
    remediation=(
        "set messageRetentionDuration and ackDeadlineSeconds within the caps, leave "
        "retainAckedMessages out, and set expirationPolicy, with an empty ttl for never."
    ),
    severity=Severity.LOW,
    level=EnforcementLevel.ADVISORY,
    url="https://cloud.google.com/pubsub/docs/subscription-properties#message_retention",
    limits=(
        NumberLimit("maxDays", "Longest retention of messages, in days", default=7),
        NumberLimit(
            "maxAckSeconds", "Longest time to acknowledge a message, in seconds", default=600
        ),
    ),
    applies=lambda resource_type: resource_type in _TYPES,
    check=_check,
)

"""A message that cannot be handled leaves its subscription."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import Severity

from policies.rules.config import Limits, NumberLimit
from policies.rules.peek import MISSING, Absence, number, peek, show, text
from policies.rules.rule import Resource, StackFinding, StackRule

_SUBSCRIPTION: Final = "gcp:pubsub/subscription:Subscription"
_TOPIC_URN: Final = re.compile(r"[:$]gcp:pubsub/topic:Topic::")
_EXPORTS: Final = ("bigqueryConfig", "cloudStorageConfig")
# What the service takes when maxDeliveryAttempts is not set.
_DEFAULT_ATTEMPTS: Final = 5.0


def _topics(subscription: Resource, prop: str, *path: str) -> set[str]:
    """What names the topic behind a property: its short name, or the URN it is wired from."""
    named = text(subscription.props, prop, *path)
    wired = {urn for urn in subscription.dependencies.get(prop, ()) if _TOPIC_URN.search(urn)}
    return wired | ({named.rpartition("/")[2]} if isinstance(named, str) else set())


def _check(resources: Sequence[Resource], limits: Limits) -> Iterator[StackFinding]:
    cap = limits.number("maxDeliveryAttempts")
    subscriptions = [each for each in resources if each.type == _SUBSCRIPTION]
    dead_letters = {
        topic
        for each in subscriptions
        for topic in _topics(each, "deadLetterPolicy", "deadLetterTopic")
    }
    for each in subscriptions:
        if any(peek(each.props, export) is not MISSING for export in _EXPORTS):
            continue
        if peek(each.props, "deadLetterPolicy") is MISSING:
            if not _topics(each, "topic") & dead_letters:
                yield StackFinding("has no deadLetterPolicy", each)
            continue
        attempts = number(each.props, "deadLetterPolicy", "maxDeliveryAttempts")
        value = _DEFAULT_ATTEMPTS if attempts is MISSING else attempts
        if isinstance(value, Absence):
            yield StackFinding(
                f"its maxDeliveryAttempts is {value.value}, allowed {show(cap)}", each
            )
        elif value > cap:
            yield StackFinding(f"delivers {show(value)} times, allowed {show(cap)}", each)


RULE: Final = StackRule(
    id="scale-pubsub-dlq",
    display_name="Subscriptions have dead letters",
    description=(
        "Every push and pull subscription has a dead-letter topic after few attempts, "
        "except one that reads a dead-letter topic itself."
    ),
    why=(
        "A message that always fails is delivered again until it expires, and every try costs an "
        "invocation."
    ),
    remediation="set deadLetterPolicy with deadLetterTopic and maxDeliveryAttempts within the cap.",
    severity=Severity.MEDIUM,
    url="https://cloud.google.com/pubsub/docs/dead-letter-topics",
    limits=(NumberLimit("maxDeliveryAttempts", "Most deliveries of one message"),),
    check=_check,
)

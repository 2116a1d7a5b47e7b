"""A message that cannot be handled leaves its subscription."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity
from pulumi_policy.proxy import UnknownValueError

from policies.access.grants import grant_type, grants
from policies.shared.limits import Limits, NumberLimit
from policies.shared.rule import StackFinding, StackRule
from resources.properties import MISSING, Absence, UnreadableError, get, number, show, text
from resources.resource import Resource
from resources.wiring import referenced_names

_SUBSCRIPTION: Final = "gcp:pubsub/subscription:Subscription"
_TOPIC_URN: Final = re.compile(r"[:$]gcp:pubsub/topic:Topic::")
_TOPIC: Final = "gcp:pubsub/topic:Topic"
_ANY: Final = "*"
_EXPORTS: Final = ("bigqueryConfig", "cloudStorageConfig")
# What the service takes when maxDeliveryAttempts is not set, and the least it takes.
_DEFAULT_ATTEMPTS: Final = 5.0
_AGENT: Final = "@gcp-sa-pubsub.iam.gserviceaccount.com"
_PUBLISH: Final = ("roles/pubsub.publisher", "roles/pubsub.editor", "roles/pubsub.admin")
_TAKE: Final = ("roles/pubsub.subscriber", "roles/pubsub.editor", "roles/pubsub.admin")


def _topics(subscription: Resource, prop: str, *path: str) -> set[str]:
    """Return what names the topic behind a property: its short name, or the URN it is wired
    from."""
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
    made = {name for each in resources if each.type == _TOPIC for name in _own_names(each)}
    publishes, takes = (
        _granted(resources, "topic", _PUBLISH),
        _granted(resources, "subscription", _TAKE),
    )
    for each in subscriptions:
        if any(get(each.props, export) is not MISSING for export in _EXPORTS):
            continue
        if get(each.props, "deadLetterPolicy") is MISSING:
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
            yield StackFinding(f"delivers {show(value, 'time')}, allowed {show(cap)}", each)
        elif value < _DEFAULT_ATTEMPTS:
            yield StackFinding(f"delivers {show(value, 'time')}, the least there is are 5", each)
        if get(each.props, "retryPolicy") is MISSING:
            yield StackFinding("has no retryPolicy, so all attempts are made at once", each)
        topics = _topics(each, "deadLetterPolicy", "deadLetterTopic") & made
        if topics and _ANY not in publishes and not topics & publishes:
            yield StackFinding("Pub/Sub's agent may not publish to its dead-letter topic", each)
        if _ANY not in takes and not _own_names(each) & takes:
            yield StackFinding("Pub/Sub's agent may not take messages from it", each)


def _own_names(resource: Resource) -> frozenset[str]:
    return referenced_names(resource, "name") | {resource.urn}


def _granted(resources: Sequence[Resource], kind: str, roles: Sequence[str]) -> set[str]:
    """Return the names of the topics or subscriptions on which Pub/Sub's agent has one of the
    roles."""
    found: set[str] = set()
    for each in resources:
        family = grant_type(each.type)
        if family is None or not (family.wide or family.service == "pubsub"):
            continue
        try:
            given = any(
                grant.role in roles and any(_is_agent(member) for member in grant.members)
                for grant in grants(each)
            )
        except (UnknownValueError, UnreadableError):
            given = True
        if given:
            found |= {_ANY} if family.wide else referenced_names(each, kind)
    return found


def _is_agent(member: str | Absence) -> bool:
    # One that is not known yet may be the agent: the update tells.
    return not isinstance(member, str) or member.endswith(_AGENT)


RULE: Final = StackRule(
    id="scale-pubsub-dlq",
    display_name="Subscriptions have dead letters",
    description=(
        "Every push and pull subscription has a dead-letter topic after few attempts with pauses, "
        "which Pub/Sub may publish to, except one that reads a dead-letter topic itself."
    ),
    why=(
        "A message that always fails is delivered again until it expires, and every try costs an "
        "invocation."
    ),
    remediation=(
        "set deadLetterPolicy with deadLetterTopic and maxDeliveryAttempts within the cap, and "
        "retryPolicy; grant Pub/Sub's agent roles/pubsub.publisher on the dead-letter topic and "
        "roles/pubsub.subscriber on the subscription."
    ),
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/pubsub/docs/dead-letter-topics",
    limits=(NumberLimit("maxDeliveryAttempts", "Most deliveries of one message"),),
    check=_check,
)

"""What every subscription of a pipeline shares: waiting times, filters, and their checks."""

from typing import NotRequired, TypedDict

import pulumi_gcp as gcp

from catalog.message_filter import FilterError, check_filter
from components.checks import check_between
from components.validation import Problems


class MessageSchema(TypedDict):
    """What messages must look like; Pub/Sub refuses others."""

    type: str
    """avro or protobuf."""
    definition: str
    """The schema in its own language: Avro's JSON, or a proto file with one message."""
    encoding: NotRequired[str]
    """How publishers encode messages: json (default) or binary."""


class Retry(TypedDict):
    """How long Pub/Sub waits before it delivers a failed message again."""

    minimum_seconds: NotRequired[int]
    """0 to 600; default 10."""
    maximum_seconds: NotRequired[int]
    """0 to 600; default 600."""


def retry_policy(retry: Retry) -> gcp.pubsub.SubscriptionRetryPolicyArgsDict:
    """Return the subscription's policy."""
    return {
        "minimum_backoff": f"{retry.get('minimum_seconds', 10)}s",
        "maximum_backoff": f"{retry.get('maximum_seconds', 600)}s",
    }


def check_retry(problems: Problems, retry: Retry) -> None:
    """Note waiting times Pub/Sub refuses."""
    least, most = retry.get("minimum_seconds", 10), retry.get("maximum_seconds", 600)
    check_between(problems, "retry.minimum_seconds", least, 0, 600, "seconds")
    check_between(problems, "retry.maximum_seconds", most, 0, 600, "seconds")
    if least > most:
        problems.add(
            "retry.minimum_seconds", f"found {least}; allowed: up to maximum_seconds, {most}"
        )


def check_filter_text(problems: Problems, path: str, text: str | None) -> None:
    """Note a filter Pub/Sub refuses."""
    if text is None:
        return
    try:
        check_filter(text)
    except FilterError as problem:
        problems.add(
            path,
            f"found {problem}; allowed: comparisons of attributes, such as "
            'attributes.lang = "en", joined by AND or OR',
        )

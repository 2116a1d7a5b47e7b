"""What every subscription of a pipeline shares: schemas and waiting times."""

from collections.abc import Mapping
from typing import Annotated, Any, NotRequired, TypedDict

import pulumi_gcp as gcp

from catalog.limits import pubsub as limits


class MessageSchema(TypedDict):
    """What messages must look like; Pub/Sub refuses others."""

    type: Annotated[str, limits.SCHEMA_TYPE]
    """Language of the definition."""
    definition: str
    """The schema in its own language: Avro's JSON, or a proto file with one message."""
    encoding: NotRequired[Annotated[str, limits.SCHEMA_ENCODING]]
    """How publishers encode messages."""


class Retry(TypedDict):
    """How long Pub/Sub waits before it delivers a failed message again."""

    minimum_seconds: NotRequired[Annotated[int, limits.RETRY_MINIMUM_SECONDS]]
    """Wait before the first further delivery."""
    maximum_seconds: NotRequired[Annotated[int, limits.RETRY_MAXIMUM_SECONDS]]
    """What the growing wait ends at."""


def retry_policy(retry: Retry) -> gcp.pubsub.SubscriptionRetryPolicyArgsDict:
    """Return the subscription's policy."""
    least = retry.get("minimum_seconds", limits.RETRY_MINIMUM_SECONDS.default)
    most = retry.get("maximum_seconds", limits.RETRY_MAXIMUM_SECONDS.default)
    return {"minimum_backoff": f"{least}s", "maximum_backoff": f"{most}s"}


def retention(args: Mapping[str, Any]) -> str:
    """Return how long messages wait, as Pub/Sub writes it."""
    return f"{args.get('retention_days', limits.RETENTION_DAYS.default) * 86400}s"

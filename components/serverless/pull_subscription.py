"""PullSubscription: messages that a consumer fetches, each acknowledged once if wished.

Owns the subscription and who may fetch from it. Does not own the topic, the dead letters nor the
consumers.
"""

from collections.abc import Mapping
from typing import Annotated, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import Entries
from catalog.limits import pubsub as limits
from components.ready import after
from components.serverless.delivery import Retry, retention, retry_policy
from components.validation import Problems, component_type, register


class PullSubscriptionArgs(TypedDict):
    """Arguments of PullSubscription."""

    project: pulumi.Input[str]
    """Id of the project."""
    topic: pulumi.Input[str]
    """Id of the topic, `projects/<project>/topics/<topic>`."""
    pubsub_service_agent: pulumi.Input[str]
    """Email of the project's Pub/Sub service agent, which takes dead messages off."""
    dead_letter_topic: pulumi.Input[str]
    """Id of the topic that messages go to after max_delivery_attempts; the agent may publish."""
    consumers: Annotated[
        Mapping[str, pulumi.Input[str]], Entries("the account that fetches messages")
    ]
    """Emails, by any short name, of the service accounts that fetch messages."""
    exactly_once: NotRequired[bool]
    """Whether an acknowledged message never comes again (default true): consumers must then wait
    for the answer to their acknowledgement, and fetch in the region of the topic."""
    ordering: NotRequired[bool]
    """Whether messages with the same ordering key come in the order they were published."""
    filter: NotRequired[Annotated[str | None, limits.FILTER]]
    """Which messages come, such as `attributes.lang = "en"`; without, all."""
    max_delivery_attempts: NotRequired[Annotated[int, limits.MAX_DELIVERY_ATTEMPTS]]
    """Deliveries before a message goes to the dead letter topic."""
    retry: NotRequired[Retry]
    """Waiting time between deliveries."""
    retention_days: NotRequired[Annotated[int, limits.RETENTION_DAYS]]
    """How long messages wait to be fetched."""


def validate_pull_subscription(name: str, args: PullSubscriptionArgs) -> Problems:
    """Check the plain values of the arguments, and that the names made from them are allowed."""
    problems = Problems.of(PullSubscriptionArgs, args)
    problems.check_name(name, "name")
    problems.extend(limits.retry(args.get("retry", {})), "retry")
    return problems


class PullSubscription(pulumi.ComponentResource):
    """A pull subscription, by default with exactly-once delivery, for the given consumers alone.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/pubsub/docs/exactly-once-delivery
    """

    subscription_id: pulumi.Output[str]
    """`projects/<project>/subscriptions/<name>`; waits until the consumers may fetch."""

    def __init__(
        self, name: str, args: PullSubscriptionArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(PullSubscription), name, {}, opts)
        validate_pull_subscription(name, args).raise_if_any(f"PullSubscription {name}")
        subscription = gcp.pubsub.Subscription(
            f"{name}-subscription",
            name=name,
            project=args["project"],
            topic=args["topic"],
            enable_exactly_once_delivery=args.get("exactly_once", True),
            enable_message_ordering=args.get("ordering") or None,
            filter=args.get("filter"),
            ack_deadline_seconds=limits.ACK_DEADLINE_SECONDS.default,
            message_retention_duration=retention(args),
            expiration_policy={"ttl": ""},
            retry_policy=retry_policy(args.get("retry", {})),
            dead_letter_policy={
                "dead_letter_topic": args["dead_letter_topic"],
                "max_delivery_attempts": args.get(
                    "max_delivery_attempts", limits.MAX_DELIVERY_ATTEMPTS.default
                ),
            },
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        fetchers = {**args["consumers"], "forward": args["pubsub_service_agent"]}
        grants = [
            gcp.pubsub.SubscriptionIAMMember(
                f"{name}-{fetcher}",
                project=args["project"],
                subscription=subscription.name,
                role="roles/pubsub.subscriber",
                member=pulumi.Output.concat("serviceAccount:", email),
                opts=pulumi.ResourceOptions(parent=self),
            )
            for fetcher, email in fetchers.items()
        ]
        self.subscription_id = after(subscription.id, *[grant.id for grant in grants])
        register(self)

"""DeadLetter: where messages go that a subscriber fails on again and again.

Owns a topic, the pull subscription that keeps its messages, and the right of Pub/Sub to publish to
it. Does not own the subscription that sends messages here.
"""

from typing import Annotated, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import pubsub as limits
from components.ready import after
from components.serverless.delivery import retention
from components.validation import Problems, component_type, register


class DeadLetterArgs(TypedDict):
    """Arguments of DeadLetter."""

    project: pulumi.Input[str]
    """Id of the project."""
    region: str
    """Region messages are stored in."""
    pubsub_service_agent: pulumi.Input[str]
    """Email of the project's Pub/Sub service agent."""
    retention_days: NotRequired[Annotated[int, limits.RETENTION_DAYS]]
    """How long a message waits to be looked at."""
    deletion_protection: NotRequired[bool]
    """Whether topic and subscription are protected from deletion; default true."""


def validate_dead_letter(name: str, args: DeadLetterArgs) -> Problems:
    """Check the plain values of the arguments, and that the names made from them are allowed."""
    problems = Problems.of(DeadLetterArgs, args)
    problems.check_name(name, "name")
    return problems


class DeadLetter(pulumi.ComponentResource):
    """A topic for undeliverable messages with a subscription that keeps them to be pulled.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/pubsub/docs/dead-letter-topics
    """

    topic_id: pulumi.Output[str]
    """Waits until Pub/Sub may publish and messages are kept."""
    subscription_id: pulumi.Output[str]

    def __init__(
        self, name: str, args: DeadLetterArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(DeadLetter), name, {}, opts)
        validate_dead_letter(name, args).raise_if_any(f"DeadLetter {name}")
        stateful = pulumi.ResourceOptions(
            parent=self,
            protect=args.get("deletion_protection", True) or None,
            delete_before_replace=True,
        )
        topic = gcp.pubsub.Topic(
            f"{name}-topic",
            name=name,
            project=args["project"],
            message_retention_duration=retention(args),
            message_storage_policy={"allowed_persistence_regions": [args["region"]]},
            opts=stateful,
        )
        publisher = gcp.pubsub.TopicIAMMember(
            f"{name}-publish",
            project=args["project"],
            topic=topic.name,
            role="roles/pubsub.publisher",
            member=pulumi.Output.concat("serviceAccount:", args["pubsub_service_agent"]),
            opts=pulumi.ResourceOptions(parent=self),
        )
        subscription = gcp.pubsub.Subscription(
            f"{name}-subscription",
            name=name,
            project=args["project"],
            topic=topic.id,
            ack_deadline_seconds=60,
            message_retention_duration=retention(args),
            expiration_policy={"ttl": ""},
            opts=stateful,
        )
        self.topic_id = after(topic.id, publisher.id, subscription.id)
        self.subscription_id = subscription.id
        register(self)

"""The topics and subscriptions of a world, as its resources describe them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from catalog.message_filter import Filter, parse_filter
from resources import durations
from sandbox.world import CloudResource, World

TOPIC = "gcp:pubsub/topic:Topic"
SUBSCRIPTION = "gcp:pubsub/subscription:Subscription"
SCHEMA = "gcp:pubsub/schema:Schema"
_IDENTITY = "gcp:projects/serviceIdentity:ServiceIdentity"

_WEEK = 7 * 86400.0


@dataclass(frozen=True)
class MessageSchema:
    """What messages of a topic must look like."""

    name: str
    """Id, `projects/<project>/schemas/<schema>`."""
    type: str
    """AVRO or PROTOCOL_BUFFER."""
    definition: str
    encoding: str
    """JSON or BINARY."""
    revision: str


@dataclass(frozen=True)
class Topic:
    """A topic; durations are in seconds."""

    id: str
    project: str
    retention: float
    """How long messages stay beside the subscriptions' own retention; 0 for not at all."""
    schema: MessageSchema | None


@dataclass(frozen=True)
class Backoff:
    """The wait before a further delivery, in seconds: from least, doubled each time, to most."""

    least: float
    most: float

    def wait(self, failures: int) -> float:
        """Return the wait after so many failures in a row."""
        return min(self.most, self.least * 2.0 ** min(failures - 1, 30))


@dataclass(frozen=True)
class Push:
    """Where messages are posted to, and as whom."""

    endpoint: str
    account: str
    """Email of the service account that the token names; empty for no token."""
    audience: str
    wrapped: bool
    metadata: bool
    """Whether an unwrapped message brings its id, time and attributes as headers."""


@dataclass(frozen=True)
class Subscription:
    """A subscription; durations are in seconds. None of push, storage, bigquery: it is pulled."""

    id: str
    topic: str
    project: str
    ack_deadline: float
    retention: float
    retain_acked: bool
    ordered: bool
    exactly_once: bool
    """Whether an acknowledgement that comes too late is refused, not ignored."""
    filter: Filter
    backoff: Backoff | None
    """None: at once."""
    dead_letter_topic: str
    """Empty without."""
    most_attempts: int
    push: Push | None
    storage: Mapping[str, Any] | None
    """The resource's cloudStorageConfig."""
    bigquery: Mapping[str, Any] | None
    """The resource's bigqueryConfig."""

    @property
    def pulled(self) -> bool:
        """Whether somebody must fetch the messages."""
        return not (self.push or self.storage or self.bigquery)


class PubSubResources:
    """All topics and subscriptions of a world, by id."""

    def __init__(self, world: World) -> None:
        self.topics = {topic.id: topic for topic in _topics(world)}
        self.subscriptions = {
            subscription.id: self._kept_with_topic(subscription)
            for subscription in map(_subscription, world.by_type(SUBSCRIPTION))
        }

    def of_topic(self, topic: str) -> list[Subscription]:
        """Return the subscriptions of a topic."""
        return [each for each in self.subscriptions.values() if each.topic == topic]

    def _kept_with_topic(self, subscription: Subscription) -> Subscription:
        """Return the subscription, which keeps a message at least as long as its topic does.

        https://cloud.google.com/pubsub/docs/replay-overview#configuring_message_retention
        """
        topic = self.topics.get(subscription.topic)
        if topic is None:
            return subscription
        return replace(subscription, retention=max(subscription.retention, topic.retention))


def service_agent(world: World, project: str) -> str:
    """Return the email of the project's Pub/Sub service agent; empty when the project has none."""
    found = world.get(_IDENTITY, f"projects/{project}/services/pubsub.googleapis.com")
    return "" if found is None else str(found.outputs["email"])


def seconds(duration: str | None, default: float = 0.0) -> float:
    """Return `"600s"` as 600.0."""
    found = durations.seconds(duration)
    return found if isinstance(found, float) else default


def part(inputs: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a nested block of a resource's inputs; empty when it isn't there."""
    return inputs.get(name) or {}


def _topics(world: World) -> list[Topic]:
    schemas = {schema.id: schema for schema in world.by_type(SCHEMA)}
    return [_topic(resource, schemas) for resource in world.by_type(TOPIC)]


def _topic(resource: CloudResource, schemas: Mapping[str, CloudResource]) -> Topic:
    settings = part(resource.inputs, "schemaSettings")
    schema = schemas.get(str(settings.get("schema")))
    return Topic(
        id=resource.id,
        project=resource.project or resource.inputs["project"],
        retention=seconds(resource.inputs.get("messageRetentionDuration")),
        schema=None
        if schema is None
        else MessageSchema(
            name=schema.id,
            type=schema.inputs["type"],
            definition=schema.inputs["definition"],
            encoding=settings.get("encoding") or "JSON",
            revision=str(schema.outputs.get("revisionId", "")),
        ),
    )


def _subscription(resource: CloudResource) -> Subscription:
    inputs = resource.inputs
    push, dead = part(inputs, "pushConfig"), part(inputs, "deadLetterPolicy")
    project = resource.project or inputs["project"]
    topic = str(inputs["topic"])
    return Subscription(
        id=resource.id,
        topic=topic if topic.startswith("projects/") else f"projects/{project}/topics/{topic}",
        project=project,
        ack_deadline=float(inputs.get("ackDeadlineSeconds") or 10),
        retention=seconds(inputs.get("messageRetentionDuration"), _WEEK),
        retain_acked=bool(inputs.get("retainAckedMessages")),
        ordered=bool(inputs.get("enableMessageOrdering")),
        exactly_once=bool(inputs.get("enableExactlyOnceDelivery")),
        filter=parse_filter(inputs.get("filter") or ""),
        backoff=_backoff(inputs),
        dead_letter_topic=str(dead.get("deadLetterTopic") or ""),
        most_attempts=int(dead.get("maxDeliveryAttempts") or 5),
        push=_push(push) if push.get("pushEndpoint") else None,
        storage=inputs.get("cloudStorageConfig"),
        bigquery=inputs.get("bigqueryConfig"),
    )


def _backoff(inputs: Mapping[str, Any]) -> Backoff | None:
    policy = inputs.get("retryPolicy")
    if policy is not None:
        return Backoff(
            seconds(policy.get("minimumBackoff"), 10.0),
            seconds(policy.get("maximumBackoff"), 600.0),
        )
    # Who is delivered to and refuses is left alone for a while all the same.
    # https://cloud.google.com/pubsub/docs/push#push_backoff
    delivered = any(
        inputs.get(key) for key in ("pushConfig", "cloudStorageConfig", "bigqueryConfig")
    )
    return Backoff(0.1, 60.0) if delivered else None


def _push(config: Mapping[str, Any]) -> Push:
    token, bare = part(config, "oidcToken"), config.get("noWrapper")
    return Push(
        endpoint=config["pushEndpoint"],
        account=str(token.get("serviceAccountEmail") or ""),
        audience=str(token.get("audience") or config["pushEndpoint"]),
        wrapped=bare is None,
        metadata=bool(part(config, "noWrapper").get("writeMetadata")),
    )

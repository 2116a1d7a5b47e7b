"""Worlds with topics and subscriptions, as the providers put them there."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from emulator.messages.resources import SCHEMA, SUBSCRIPTION, TOPIC
from sandbox.world import CloudResource, World

PROJECT = "acme"
AGENT = "service-1@gcp-sa-pubsub.iam.gserviceaccount.com"
MAIN = f"projects/{PROJECT}/topics/main"
DEAD = f"projects/{PROJECT}/topics/dead"
PUSH = f"projects/{PROJECT}/subscriptions/push"
PULL = f"projects/{PROJECT}/subscriptions/pull"
DEAD_PULL = f"projects/{PROJECT}/subscriptions/dead-pull"
PUBLISHER = "gcp:pubsub/topicIAMMember:TopicIAMMember"
SUBSCRIBER = "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember"


def add(
    world: World, type_: str, id_: str, outputs: dict[str, Any] | None = None, **inputs: Any
) -> None:
    given = {"project": PROJECT, **inputs}
    world.put(CloudResource(type_, id_, project=PROJECT, inputs=given, outputs=outputs or {}))


def add_topic(world: World, name: str, **inputs: Any) -> str:
    id_ = f"projects/{PROJECT}/topics/{name}"
    add(world, TOPIC, id_, name=name, **inputs)
    return id_


def add_subscription(world: World, name: str, topic: str, **inputs: Any) -> str:
    id_ = f"projects/{PROJECT}/subscriptions/{name}"
    add(world, SUBSCRIPTION, id_, name=name, topic=topic, **inputs)
    return id_


def add_schema(world: World, definition: str, type_: str, encoding: str) -> str:
    """Return a topic `typed` with a schema."""
    id_ = f"projects/{PROJECT}/schemas/shape"
    add(world, SCHEMA, id_, definition=definition, type=type_)
    return add_topic(world, "typed", schemaSettings={"schema": id_, "encoding": encoding})


def grant(world: World, type_: str, id_: str, role: str, account: str, **on: Any) -> None:
    add(
        world, type_, f"{id_}/{role}/{account}", role=role, member=f"serviceAccount:{account}", **on
    )


def small_world(world: World) -> None:
    """Make a topic that is pushed and pulled, with dead letters that Pub/Sub may forward."""
    add(
        world,
        "gcp:projects/serviceIdentity:ServiceIdentity",
        f"projects/{PROJECT}/services/pubsub.googleapis.com",
        {"email": AGENT},
    )
    add_topic(world, "main", messageRetentionDuration="86400s")
    add_topic(world, "dead")
    add_subscription(
        world,
        "push",
        MAIN,
        ackDeadlineSeconds=60,
        messageRetentionDuration="3600s",
        retryPolicy={"minimumBackoff": "10s", "maximumBackoff": "60s"},
        deadLetterPolicy={"deadLetterTopic": DEAD, "maxDeliveryAttempts": 5},
        pushConfig={"pushEndpoint": "https://service.run.app"},
    )
    add_subscription(world, "pull", MAIN, messageRetentionDuration="3600s")
    add_subscription(world, "dead-pull", DEAD, messageRetentionDuration="604800s")
    grant(world, PUBLISHER, DEAD, "roles/pubsub.publisher", AGENT, topic="dead")
    grant(world, SUBSCRIBER, PUSH, "roles/pubsub.subscriber", AGENT, subscription="push")


def alter(
    world: World, type_: str, change: Callable[[dict[str, Any]], None], ends: str = ""
) -> None:
    """Change the inputs of the resources of a type, of those whose id has that end."""
    found = [each for each in world.by_type(type_) if each.id.endswith(ends)]
    assert found, f"no {type_} {ends}"
    for each in found:
        inputs = {**each.inputs}
        change(inputs)
        world.put(replace(each, inputs=inputs))

"""Dead letters: a message that failed too often, with where it came from in its attributes.

https://cloud.google.com/pubsub/docs/handling-failures
"""

from emulator.messages.publishing import OWN_PREFIX, Draft
from emulator.messages.resources import PubSubResources, Subscription, service_agent
from emulator.messages.store import Message
from sandbox.gcp.access import may
from sandbox.world import World

_SOURCE = "CloudPubSubDeadLetterSource"


def refusal(world: World, subscription: Subscription) -> str | None:
    """Return why Pub/Sub can't forward the subscription's dead messages; None when it can.

    Its service agent needs two grants: https://cloud.google.com/pubsub/docs/handling-failures#grant
    """
    agent = service_agent(world, subscription.project)
    topic, project = subscription.dead_letter_topic, f"projects/{subscription.project}"
    if not may(world, agent, "pubsub.topics.publish", topic, project):
        return f"{agent or 'Pub/Sub'} may not publish to {topic}"
    if not may(world, agent, "pubsub.subscriptions.consume", subscription.id, project):
        return f"{agent} may not subscribe to {subscription.id}"
    return None


def dead_letter(subscription: Subscription, message: Message, attempts: int) -> Draft:
    """Return what is published to the dead-letter topic."""
    attributes = {
        **message.attributes,
        f"{_SOURCE}DeliveryCount": str(attempts),
        f"{_SOURCE}Subscription": subscription.id.rpartition("/")[2],
        f"{_SOURCE}SubscriptionProject": subscription.project,
        f"{_SOURCE}MessageId": message.id,
    }
    return Draft(message.data, attributes, message.ordering_key)


def original(message: Message) -> Draft:
    """Return the message as it was first published."""
    given = {
        key: value
        for key, value in message.attributes.items()
        if not key.startswith((_SOURCE, OWN_PREFIX))
    }
    return Draft(message.data, given, message.ordering_key)


def original_id(message: Message) -> str:
    """Return the id the message had when it failed; empty for what is no dead letter."""
    return message.attributes.get(f"{_SOURCE}MessageId", "")


def source_subscription(message: Message) -> str:
    """Return the id of the subscription the message failed on; that of none for what is no dead
    letter."""
    project = message.attributes.get(f"{_SOURCE}SubscriptionProject", "")
    name = message.attributes.get(f"{_SOURCE}Subscription", "")
    return f"projects/{project}/subscriptions/{name}"


def source_topic(pipes: PubSubResources, message: Message) -> str | None:
    """Return the topic the message was published to; None when its subscription is gone."""
    subscription = pipes.subscriptions.get(source_subscription(message))
    return None if subscription is None else subscription.topic

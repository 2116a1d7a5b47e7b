"""What a subscription's settings promise about each message."""

from collections.abc import Callable

import pytest

from emulator.messages import dead_letters
from emulator.messages.broker import Broker, Delivery, NoSuchError
from emulator.messages.publishing import Draft, PublishError
from emulator.messages.resources import SUBSCRIPTION, TOPIC
from emulator.messages.seeking import seek
from sandbox.world import World
from tests.demo.clock import ManualClock
from tests.demo.worlds import (
    DEAD,
    DEAD_PULL,
    MAIN,
    PUBLISHER,
    PULL,
    PUSH,
    SUBSCRIBER,
    add_subscription,
    alter,
)

Open = Callable[[], Broker]


def lease(broker: Broker, subscription: str = PUSH, most: int = 100) -> list[Delivery]:
    return broker.lease(broker.pipes.subscriptions[subscription], most)


def ids(deliveries: list[Delivery]) -> list[str]:
    return [each.message.id for each in deliveries]


def fail_until_dead(broker: Broker, clock: ManualClock, most: int = 50) -> list[int]:
    """Refuse every delivery; return their attempts."""
    attempts: list[int] = []
    for _ in range(most):
        for delivery in lease(broker):
            attempts.append(delivery.attempt)
            broker.nack(delivery, "no")
        clock.advance(60)
    return attempts


def test_every_subscription_gets_every_message_once(open_broker: Open) -> None:
    broker = open_broker()
    published = broker.publish(MAIN, [Draft(b"a"), Draft(b"b")])
    for subscription in (PUSH, PULL):
        assert ids(lease(broker, subscription)) == published
        assert lease(broker, subscription) == []


def test_a_refused_message_comes_again_after_growing_waits_up_to_the_longest(
    open_broker: Open, clock: ManualClock, world: World
) -> None:
    alter(world, SUBSCRIPTION, lambda inputs: inputs.pop("deadLetterPolicy"), "/push")
    broker = open_broker()
    broker.publish(MAIN, [Draft(b"a")])
    for wait in (10, 20, 40, 60, 60):
        (delivery,) = lease(broker)
        broker.nack(delivery, "no")
        clock.advance(wait - 0.001)
        assert lease(broker) == []
        clock.advance(0.001)
    assert len(lease(broker)) == 1


def test_an_unanswered_message_comes_again_after_the_ack_deadline_and_the_wait(
    open_broker: Open, clock: ManualClock
) -> None:
    broker = open_broker()
    broker.publish(MAIN, [Draft(b"a")])
    assert lease(broker)
    clock.advance(59)
    assert lease(broker) == []
    clock.advance(1)
    assert lease(broker) == []
    clock.advance(10)
    assert lease(broker)[0].attempt == 2


def test_an_answer_after_the_deadline_changes_nothing(
    open_broker: Open, clock: ManualClock
) -> None:
    broker = open_broker()
    broker.publish(MAIN, [Draft(b"a")])
    (late,) = lease(broker)
    clock.advance(60)
    lease(broker)
    broker.ack([late])
    assert broker.states(PUSH) == {"waiting": 1}
    clock.advance(10)
    (again,) = lease(broker)
    broker.nack(late, "late")
    broker.ack([again])
    assert broker.states(PUSH) == {"acked": 1}


def test_a_longer_deadline_holds_a_message_back(open_broker: Open, clock: ManualClock) -> None:
    broker = open_broker()
    broker.publish(MAIN, [Draft(b"a")])
    (delivery,) = lease(broker)
    broker.extend(delivery, 600)
    clock.advance(500)
    assert lease(broker) == []
    broker.ack([delivery])
    assert broker.states(PUSH) == {"acked": 1}


def test_a_message_is_dead_after_the_most_attempts_and_says_where_it_came_from(
    open_broker: Open, clock: ManualClock
) -> None:
    broker = open_broker()
    (id_,) = broker.publish(MAIN, [Draft(b"a", {"color": "red"})])
    assert fail_until_dead(broker, clock) == [1, 2, 3, 4, 5]
    assert broker.states(PUSH) == {"dead": 1}
    (dead,) = lease(broker, DEAD_PULL)
    assert dead.message.data == b"a"
    assert dead.message.attributes == {
        "color": "red",
        "CloudPubSubDeadLetterSourceDeliveryCount": "5",
        "CloudPubSubDeadLetterSourceSubscription": "push",
        "CloudPubSubDeadLetterSourceSubscriptionProject": "acme",
        "CloudPubSubDeadLetterSourceMessageId": id_,
    }


@pytest.mark.parametrize("missing", [PUBLISHER, SUBSCRIBER])
def test_without_its_rights_pubsub_forwards_nothing_and_keeps_trying(
    open_broker: Open, clock: ManualClock, world: World, missing: str
) -> None:
    (granted,) = world.by_type(missing)
    world.remove(*granted.key)
    broker = open_broker()
    broker.publish(MAIN, [Draft(b"a")])
    assert fail_until_dead(broker, clock, 8) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert broker.states(PUSH) == {"waiting": 1}
    assert broker.states(DEAD_PULL).total() == 0
    world.put(granted)
    fail_until_dead(broker, clock, 2)
    assert broker.states(PUSH) == {"dead": 1}


def test_dead_letters_can_be_replayed_to_where_they_came_from(
    open_broker: Open, clock: ManualClock
) -> None:
    broker = open_broker()
    (first,) = broker.publish(MAIN, [Draft(b"a", {"color": "red"}, "key")])
    fail_until_dead(broker, clock)
    (new,) = broker.replay(broker.pipes.subscriptions[DEAD_PULL])
    assert broker.states(DEAD_PULL) == {"acked": 1}
    (delivery,) = lease(broker)
    assert delivery.message.id == new != first
    assert delivery.message.data == b"a"
    assert delivery.message.attributes == {"color": "red"}
    assert delivery.message.ordering_key == "key"
    assert delivery.attempt == 1


def test_a_dead_letter_of_a_subscription_that_is_gone_stays(
    open_broker: Open, clock: ManualClock, world: World
) -> None:
    broker = open_broker()
    broker.publish(MAIN, [Draft(b"a")])
    fail_until_dead(broker, clock)
    world.remove(SUBSCRIPTION, PUSH)
    broker = open_broker()
    assert broker.replay(broker.pipes.subscriptions[DEAD_PULL]) == []
    assert broker.states(DEAD_PULL)["acked"] == 0


def test_messages_of_a_key_come_in_order_and_one_at_a_time(
    open_broker: Open, clock: ManualClock, world: World
) -> None:
    def ordered(inputs: dict[str, object]) -> None:
        inputs["enableMessageOrdering"] = True

    alter(world, SUBSCRIPTION, ordered, "/push")
    broker = open_broker()
    drafts = [Draft(b"1", ordering_key="k"), Draft(b"2", ordering_key="k")]
    one, two, free, other = broker.publish(
        MAIN, [*drafts, Draft(b"3"), Draft(b"4", ordering_key="l")]
    )
    deliveries = lease(broker)
    assert ids(deliveries) == [one, free, other]
    broker.nack(deliveries[0], "no")
    assert lease(broker) == []
    clock.advance(10)
    (again,) = lease(broker)
    assert again.message.id == one
    broker.ack([again])
    assert ids(lease(broker)) == [two]


def test_without_ordering_a_failed_message_holds_up_no_other(open_broker: Open) -> None:
    broker = open_broker()
    broker.publish(MAIN, [Draft(b"1", ordering_key="k"), Draft(b"2", ordering_key="k")])
    assert len(lease(broker)) == 2


def test_a_subscription_gets_what_its_filter_lets_through(open_broker: Open, world: World) -> None:
    few = add_subscription(world, "few", MAIN, filter='attributes.color = "red"')
    broker = open_broker()
    red, _ = broker.publish(MAIN, [Draft(b"", {"color": "red"}), Draft(b"", {"color": "blue"})])
    assert ids(lease(broker, few)) == [red]
    assert broker.states(few).total() == 1


@pytest.mark.parametrize(
    ("topic", "kept"), [({}, 3600), ({"messageRetentionDuration": "7200s"}, 7200)]
)
def test_messages_are_kept_as_long_as_the_subscription_or_the_topic_says(
    open_broker: Open, clock: ManualClock, world: World, topic: dict[str, str], kept: int
) -> None:
    alter(world, TOPIC, lambda inputs: inputs.pop("messageRetentionDuration"), "/main")
    alter(world, TOPIC, lambda inputs: inputs.update(topic), "/main")
    add_subscription(world, "longer", MAIN, messageRetentionDuration="86400s")
    broker = open_broker()
    broker.publish(MAIN, [Draft(b"a")])
    clock.advance(kept)
    broker.expire()
    assert len(lease(broker)) == 1
    clock.advance(1)
    broker.expire()
    assert broker.states(PUSH) == {"expired": 1}
    assert lease(broker) == []


def test_a_message_is_forgotten_when_neither_topic_nor_subscription_keeps_it(
    open_broker: Open, clock: ManualClock
) -> None:
    broker = open_broker()
    broker.publish(MAIN, [Draft(b"a")])
    clock.advance(86400)
    broker.expire()
    assert broker.store.rows("SELECT count(*) FROM messages")[0][0] == 1
    clock.advance(1)
    broker.expire()
    assert broker.store.rows("SELECT count(*) FROM messages")[0][0] == 0
    assert broker.states(PUSH).total() == 0


def test_what_was_under_way_when_the_sandbox_was_killed_begins_again(open_broker: Open) -> None:
    broker = open_broker()
    published = broker.publish(MAIN, [Draft(b"a"), Draft(b"b")])
    (done, _) = lease(broker)
    broker.ack([done])
    after = open_broker()
    after.give_back()
    (again,) = lease(after)
    assert again.message.id == published[1]
    assert again.attempt == 1


def test_an_empty_message_and_an_unknown_topic_are_refused(open_broker: Open) -> None:
    broker = open_broker()
    with pytest.raises(PublishError, match="data or attributes"):
        broker.publish(MAIN, [Draft(b"a"), Draft()])
    with pytest.raises(NoSuchError, match="projects/acme/topics/none"):
        broker.publish("projects/acme/topics/none", [Draft(b"a")])
    assert broker.states(PUSH).total() == 0


def test_a_message_that_is_no_dead_letter_has_no_source(open_broker: Open) -> None:
    broker = open_broker()
    broker.publish(DEAD, [Draft(b"a")])
    (delivery,) = lease(broker, DEAD_PULL)
    assert dead_letters.source_topic(broker.pipes, delivery.message) is None
    assert dead_letters.original_id(delivery.message) == ""


def test_seeking_forward_acknowledges_and_seeking_back_delivers_what_is_kept(
    open_broker: Open, clock: ManualClock
) -> None:
    broker = open_broker()
    subscription = broker.pipes.subscriptions[PULL]
    began = clock.now()
    (first,) = broker.publish(MAIN, [Draft(b"first")])
    clock.advance(100)
    (second,) = broker.publish(MAIN, [Draft(b"second")])
    seek(broker, subscription, began + 50)
    (only,) = lease(broker, PULL)
    assert only.message.id == second
    broker.ack([only])
    seek(broker, subscription, began)
    assert ids(lease(broker, PULL)) == [first, second]
    assert ids(lease(broker)) == [first, second]
    clock.advance(86350)
    seek(broker, subscription, began)
    broker.ack(lease(broker, PULL))
    broker.expire()
    seek(broker, subscription, began)
    assert ids(lease(broker, PULL)) == [second]


def test_without_retention_of_acknowledged_messages_none_comes_back(
    open_broker: Open, clock: ManualClock, world: World
) -> None:
    alter(world, TOPIC, lambda inputs: inputs.pop("messageRetentionDuration"), "/main")
    keeps = add_subscription(
        world, "keeps", MAIN, retainAckedMessages=True, messageRetentionDuration="3600s"
    )
    broker = open_broker()
    began = clock.now()
    published = broker.publish(MAIN, [Draft(b"a")])
    clock.advance(1)
    for name, back in ((PULL, []), (keeps, published)):
        broker.ack(lease(broker, name))
        seek(broker, broker.pipes.subscriptions[name], began)
        assert ids(lease(broker, name)) == back


def test_a_new_subscription_can_go_back_to_what_the_topic_keeps_and_its_filter_lets_through(
    open_broker: Open, clock: ManualClock, world: World
) -> None:
    broker = open_broker()
    began = clock.now()
    wanted, _ = broker.publish(MAIN, [Draft(b"a", {"lang": "en"}), Draft(b"b", {"lang": "fr"})])
    name = add_subscription(world, "new", MAIN, filter='attributes.lang = "en"')
    later = open_broker()
    assert lease(later, name) == []
    seek(later, later.pipes.subscriptions[name], began)
    assert ids(lease(later, name)) == [wanted]


def test_a_failing_message_holds_up_its_own_key_alone_until_it_is_dead(
    open_broker: Open, clock: ManualClock, world: World
) -> None:
    alter(world, SUBSCRIPTION, lambda inputs: inputs.update(enableMessageOrdering=True), "/push")
    broker = open_broker()
    bad, after, other, free = broker.publish(
        MAIN,
        [
            Draft(b"bad", ordering_key="a"),
            Draft(b"after", ordering_key="a"),
            Draft(b"other", ordering_key="b"),
            Draft(b"free"),
        ],
    )
    seen: list[str] = []
    for _ in range(20):
        for delivery in lease(broker):
            seen.append(delivery.message.id)
            if delivery.message.id == bad:
                broker.nack(delivery, "no")
            else:
                broker.ack([delivery])
        clock.advance(60)
    assert seen == [bad, other, free, *[bad] * 4, after]
    assert broker.states(PUSH) == {"dead": 1, "acked": 3}

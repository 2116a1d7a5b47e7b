"""Broker: Pub/Sub's promises on a file. Messages in, deliveries out, nothing lost in between."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from emulator.messages import dead_letters
from emulator.messages.clock import Clock
from emulator.messages.ledger import Ledger
from emulator.messages.publishing import Draft, PublishError, checked_attributes
from emulator.messages.resources import PubSubResources, Subscription
from emulator.messages.store import Message, Store
from sandbox.world import World


class NoSuchError(LookupError):
    """A topic or subscription that isn't there."""


@dataclass(frozen=True)
class Delivery:
    """A message that somebody works on until `deadline`."""

    subscription: Subscription
    message: Message
    attempt: int
    lease: int
    """Tells this delivery from others of the message: a late answer changes nothing."""
    deadline: float


class Broker(Ledger):
    """The messages of a world's topics. Safe for threads."""

    def __init__(self, world: World, store: Store, clock: Clock) -> None:
        super().__init__(store)
        self._world = world
        self.clock = clock
        self.pipes = PubSubResources(world)

    def publish(self, topic_id: str, drafts: Sequence[Draft]) -> list[str]:
        """Keep messages and return their ids.

        Raises PublishError when any doesn't fit the topic's schema, NoSuchError without the topic.
        """
        topic = self.pipes.topics.get(topic_id)
        if topic is None:
            raise NoSuchError(f"there is no topic {topic_id}")
        attributes = [checked_attributes(topic, draft) for draft in drafts]
        now = self.clock.now()
        ids: list[str] = []
        with self.store.transaction():
            for draft, given in zip(drafts, attributes, strict=True):
                message = self.store.add(topic.id, draft.data, given, draft.ordering_key, now)
                ids.append(message.id)
                for subscription in self.pipes.of_topic(topic.id):
                    self.deliver(subscription, message, now)
        return ids

    def deliver(self, subscription: Subscription, message: Message, now: float) -> None:
        """Let a subscription have a message that its filter lets through."""
        if subscription.filter(message.attributes):
            self._add_delivery(subscription, message, now)

    def lease(self, subscription: Subscription, most: int) -> list[Delivery]:
        """Return messages that are due, oldest first, each until the ack deadline.

        With ordering, a message waits for all earlier ones of its key.
        """
        with self.store.transaction():
            self._let_run_out(subscription)
            now = self.clock.now()
            due = self.store.rows(
                "SELECT message, attempts, lease FROM deliveries d WHERE state = 'waiting' "  # noqa: S608 -- constants
                f"AND subscription = ? AND due <= ? {self.in_turn(subscription)} "
                "ORDER BY message LIMIT ?",
                subscription.id,
                now,
                most,
            )
            deadline = now + subscription.ack_deadline
            for id_, attempts, lease in due:
                self._set(
                    subscription.id, id_, state="leased", due=deadline,
                    attempts=attempts + 1, lease=lease + 1,
                )  # fmt: skip
            return [
                Delivery(
                    subscription, self.store.message(str(id_)), attempts + 1, lease + 1, deadline
                )
                for id_, attempts, lease in due
            ]

    def ack(self, deliveries: Collection[Delivery]) -> None:
        """End deliveries well. One whose lease is over stays as it is."""
        with self.store.transaction():
            for delivery in deliveries:
                if self._is_current(delivery):
                    self._set(delivery.subscription.id, delivery.message.id, state="acked")

    def nack(self, delivery: Delivery, reason: str) -> None:
        """End a delivery badly: it comes again after the back-off, or is dead."""
        with self.store.transaction():
            if self._is_current(delivery):
                self._fail(delivery.subscription, delivery.message.id, delivery.attempt, reason)

    def extend(self, delivery: Delivery, seconds: float) -> None:
        """Set a new deadline, from now."""
        with self.store.transaction():
            if self._is_current(delivery):
                deadline = self.clock.now() + seconds
                self._set(delivery.subscription.id, delivery.message.id, due=deadline)

    def current(self, subscription_id: str, message_id: str, lease: int) -> Delivery | None:
        """Return the delivery of that lease, or None when it is over."""
        subscription = self.pipes.subscriptions[subscription_id]
        found = self.store.rows(
            "SELECT attempts, due FROM deliveries WHERE subscription = ? AND message = ? "
            "AND lease = ? AND state = 'leased'",
            subscription_id, int(message_id), lease,
        )  # fmt: skip
        if not found:
            return None
        message = self.store.message(message_id)
        return Delivery(subscription, message, found[0][0], lease, found[0][1])

    def give_back(self) -> None:
        """End what a killed process had leased: nobody works on it, and no attempt failed."""
        self.store.rows(
            "UPDATE deliveries SET state = 'waiting', due = 0, attempts = attempts - 1, "
            "lease = lease + 1 WHERE state = 'leased'"
        )

    def redeliver(self, subscription_id: str, ids: Collection[str]) -> None:
        """Deliver acknowledged messages once more, as Pub/Sub may at any time."""
        with self.store.transaction():
            for id_ in ids:
                self._set(subscription_id, id_, state="waiting", due=self.clock.now(), attempts=0)

    def expire(self) -> None:
        """End deliveries older than their subscription keeps messages, and forget what no
        subscription and no topic keeps any more."""
        now = self.clock.now()
        with self.store.transaction():
            for each in self.pipes.subscriptions.values():
                self.store.rows(
                    "UPDATE deliveries SET state = 'expired' WHERE subscription = ? AND state IN "
                    "('waiting', 'leased') AND message IN "
                    "(SELECT id FROM messages WHERE topic = ? AND published < ?)",
                    each.id,
                    each.topic,
                    now - each.retention,
                )
            for topic in self.pipes.topics.values():
                kept = [each.retention for each in self.pipes.of_topic(topic.id)]
                old = "SELECT id FROM messages WHERE topic = ? AND published < ?"
                for table in ("deliveries WHERE message", "messages WHERE id"):
                    self.store.rows(
                        f"DELETE FROM {table} IN ({old})",  # noqa: S608 -- constants
                        topic.id,
                        now - max(topic.retention, *kept, 0.0),
                    )

    def replay(self, subscription: Subscription) -> list[str]:
        """Publish what waits in a dead-letter subscription to the topics it came from.

        Gives the new messages' ids. What came from a subscription that is gone stays.
        """
        new: list[str] = []
        while leased := self.lease(subscription, 100):
            for delivery in leased:
                source = dead_letters.source_topic(self.pipes, delivery.message)
                if source is None:
                    continue
                with self.store.transaction():
                    new += self.publish(source, [dead_letters.original(delivery.message)])
                    self.ack([delivery])
        return new

    def _add_delivery(self, subscription: Subscription, message: Message, now: float) -> None:
        self.store.rows(
            "INSERT INTO deliveries (subscription, message, ordering_key, state, due) "
            "VALUES (?, ?, ?, 'waiting', ?)",
            subscription.id,
            int(message.id),
            message.ordering_key,
            now,
        )

    def _let_run_out(self, subscription: Subscription) -> None:
        late = self.store.rows(
            "SELECT message, attempts FROM deliveries WHERE subscription = ? "
            "AND state = 'leased' AND due <= ?",
            subscription.id,
            self.clock.now(),
        )
        for id_, attempts in late:
            self._fail(subscription, str(id_), attempts, "no answer before the ack deadline")

    def _fail(self, subscription: Subscription, id_: str, attempts: int, reason: str) -> None:
        if subscription.dead_letter_topic and attempts >= subscription.most_attempts:
            refusal = self._bury(subscription, id_, attempts)
            if refusal is None:
                self._set(subscription.id, id_, state="dead", reason=reason)
                return
            reason = f"{reason}; {refusal}"
        wait = subscription.backoff.wait(attempts) if subscription.backoff else 0.0
        self._set(subscription.id, id_, state="waiting", due=self.clock.now() + wait, reason=reason)

    def _bury(self, subscription: Subscription, id_: str, attempts: int) -> str | None:
        """Send a message to the dead-letter topic; say why when that can't be done."""
        refusal = dead_letters.refusal(self._world, subscription)
        if refusal is not None:
            return refusal
        dead = dead_letters.dead_letter(subscription, self.store.message(id_), attempts)
        try:
            self.publish(subscription.dead_letter_topic, [dead])
        except (NoSuchError, PublishError) as problem:
            return str(problem)
        return None

    def _is_current(self, delivery: Delivery) -> bool:
        found = self.current(delivery.subscription.id, delivery.message.id, delivery.lease)
        return found is not None

    def _set(self, subscription_id: str, message_id: str | int, **values: object) -> None:
        columns = ", ".join(f"{column} = ?" for column in values)
        self.store.rows(
            f"UPDATE deliveries SET {columns} WHERE subscription = ? AND message = ?",  # noqa: S608 -- our names
            *values.values(),
            subscription_id,
            int(message_id),
        )

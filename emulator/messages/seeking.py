"""Seek: a subscription goes back, or forward, to a moment.

https://cloud.google.com/pubsub/docs/replay-overview
"""

from emulator.messages.broker import Broker
from emulator.messages.resources import Subscription


def seek(broker: Broker, subscription: Subscription, moment: float) -> None:
    """Acknowledge what was published before the moment, and deliver what came since again.

    Of acknowledged messages those come that the topic keeps, or the subscription when it retains
    them; older ones stay away.
    """
    store, now = broker.store, broker.clock.now()
    topic = broker.pipes.topics[subscription.topic]
    kept = subscription.retention if subscription.retain_acked else topic.retention
    since = max(moment, now - kept)
    with store.transaction():
        store.rows(
            "UPDATE deliveries SET state = 'acked', lease = lease + 1 WHERE subscription = ? "
            "AND state IN ('waiting', 'leased') AND message IN "
            "(SELECT id FROM messages WHERE topic = ? AND published < ?)",
            subscription.id, topic.id, moment,
        )  # fmt: skip
        store.rows(
            "UPDATE deliveries SET state = 'waiting', due = ?, attempts = 0, reason = '' "
            "WHERE subscription = ? AND state IN ('acked', 'dead') AND message IN "
            "(SELECT id FROM messages WHERE topic = ? AND published >= ?)",
            now, subscription.id, topic.id, since,
        )  # fmt: skip
        # What was published before there was the subscription.
        unknown = store.rows(
            "SELECT id FROM messages WHERE topic = ? AND published >= ? AND NOT EXISTS "
            "(SELECT 1 FROM deliveries WHERE subscription = ? AND message = messages.id)",
            topic.id, since, subscription.id,
        )  # fmt: skip
        for (id_,) in unknown:
            broker.deliver(subscription, store.message(str(id_)), now)

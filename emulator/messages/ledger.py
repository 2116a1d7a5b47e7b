"""Ledger: how far each subscription is with its messages."""

from collections import Counter
from collections.abc import Collection
from typing import Final

from emulator.messages.resources import Subscription
from emulator.messages.store import Message, Store

_IN_TURN: Final = """AND (d.ordering_key = '' OR NOT EXISTS (
    SELECT 1 FROM deliveries e WHERE e.subscription = d.subscription
    AND e.ordering_key = d.ordering_key AND e.message < d.message
    AND e.state IN ('waiting', 'leased')))"""


class Ledger:
    """Reads the file of messages; changes nothing."""

    def __init__(self, store: Store) -> None:
        self.store = store

    @staticmethod
    def in_turn(subscription: Subscription) -> str:
        """Return the condition on a delivery `d` that no earlier one of its key holds it up."""
        return _IN_TURN if subscription.ordered else ""

    def next_due(self, subscription: Subscription) -> float | None:
        """Return when the next delivery begins or runs out; None when all has ended."""
        found = self.store.rows(
            "SELECT min(due) FROM deliveries d WHERE subscription = ? AND state IN "  # noqa: S608 -- constants
            f"('waiting', 'leased') {self.in_turn(subscription)}",
            subscription.id,
        )
        return None if found[0][0] is None else float(found[0][0])

    def states(self, subscription_id: str, ids: Collection[str] = ()) -> Counter[str]:
        """Return how many messages are in which state, of all or of some."""
        rows = self.store.rows(
            "SELECT message, state FROM deliveries WHERE subscription = ?", subscription_id
        )
        return Counter(state for id_, state in rows if not ids or str(id_) in ids)

    def attempts(self, subscription_id: str) -> dict[str, int]:
        """Return how often each message was delivered."""
        rows = self.store.rows(
            "SELECT message, attempts FROM deliveries WHERE subscription = ?", subscription_id
        )
        return {str(id_): attempts for id_, attempts in rows}

    def waiting(self, subscription: Subscription, until: float = float("inf")) -> list[Message]:
        """Return the messages that wait to be delivered, oldest first; those that are due by
        `until`."""
        rows = self.store.rows(
            "SELECT message FROM deliveries WHERE subscription = ? AND state = 'waiting' "
            "AND due <= ? ORDER BY message",
            subscription.id,
            until,
        )
        return [self.store.message(str(id_)) for (id_,) in rows]

"""Deliveries: begins what is due on every subscription, and puts the clock forward when idle."""

import asyncio
from collections.abc import Callable

from emulator.messages.bigquery_export import BigQueryExport
from emulator.messages.broker import Broker, Delivery
from emulator.messages.clock import SkippingClock
from emulator.messages.cloud_storage_export import CloudStorageExport
from emulator.messages.push import Pusher
from emulator.messages.resources import Subscription

CLOCK = "seconds ahead"
_FIRST_WINDOW, _LARGEST_WINDOW = 10, 100
_LONGEST_SLEEP_SECONDS = 1.0

OnEvent = Callable[[str, str, str], None]
"""Called with what happened, the subscription and the message."""


class Deliveries:
    """Delivers until it is cancelled. With `skip`, waits are left out when there is nothing else.

    A subscription has as many requests under way as its window, which doubles with each
    acknowledgement and halves with each failure.
    """

    def __init__(
        self,
        broker: Broker,
        pusher: Pusher,
        lake: CloudStorageExport,
        export: BigQueryExport,
        clock: SkippingClock,
        on_event: OnEvent,
        *,
        skip: bool,
    ) -> None:
        self._broker = broker
        self._pusher = pusher
        self._lake = lake
        self._export = export
        self._clock = clock
        self._on_event = on_event
        self._skip = skip
        self._window: dict[str, int] = {}
        self._busy: dict[str, set[asyncio.Task[None]]] = {}
        self._news = asyncio.Event()
        self._delivered = [e for e in broker.pipes.subscriptions.values() if not e.pulled]
        self._pulled = [e for e in broker.pipes.subscriptions.values() if e.pulled]

    def wake(self) -> None:
        """Tell that there may be something to deliver."""
        self._news.set()

    def settled(self) -> bool:
        """Return whether nothing is left to deliver or to write."""
        states = (self._broker.states(each.id) for each in self._delivered)
        return not any(state["waiting"] + state["leased"] for state in states)

    async def run(self) -> None:
        """Deliver."""
        try:
            while True:
                self._news.clear()
                self._broker.expire()
                for subscription in self._delivered:
                    self._begin(subscription)
                await self._sleep()
        finally:
            for tasks in self._busy.values():
                for task in tasks:
                    task.cancel()

    def _begin(self, subscription: Subscription) -> None:
        if subscription.storage:
            due = self._lake.due(self._broker, subscription)
            if due is not None and due <= self._clock.now():
                file = self._lake.write(self._broker, subscription)
                self._on_event("refused" if file is None else "filed", subscription.id, str(file))
            return
        busy = self._busy.setdefault(subscription.id, set())
        free = self._window.setdefault(subscription.id, _FIRST_WINDOW) - len(busy)
        for delivery in self._broker.lease(subscription, free) if free > 0 else ():
            task = asyncio.create_task(self._deliver(delivery))
            busy.add(task)
            task.add_done_callback(busy.discard)
            task.add_done_callback(lambda _: self._news.set())

    async def _deliver(self, delivery: Delivery) -> None:
        subscription = delivery.subscription
        if subscription.bigquery:
            problem = self._export.write(self._broker, delivery)
        else:
            problem = await self._pusher.push(delivery)
        window = self._window[subscription.id]
        if problem is None:
            self._broker.ack([delivery])
            self._window[subscription.id] = min(_LARGEST_WINDOW, window * 2)
            self._on_event("acknowledged", subscription.id, delivery.message.id)
        else:
            self._broker.nack(delivery, problem)
            self._window[subscription.id] = max(1, window // 2)
            self._on_event(f"failed: {problem}", subscription.id, delivery.message.id)

    async def _sleep(self) -> None:
        """Until there is news or something is due."""
        pause = _LONGEST_SLEEP_SECONDS
        due = self._next_due()
        if due is not None:
            wait = due - self._clock.now()
            idle = not any(self._busy.values()) and not self._someone_pulls()
            if self._skip and idle and wait > 0:
                self._clock.skip_to(due)
                self._broker.store.set_fact(CLOCK, self._clock.ahead)
                return
            pause = min(pause, max(wait, 0.01))
        try:
            async with asyncio.timeout(pause):
                await self._news.wait()
        except TimeoutError:
            return

    def _next_due(self) -> float | None:
        moments = [
            self._lake.due(self._broker, each) if each.storage else self._broker.next_due(each)
            for each in self._delivered
        ]
        return min((moment for moment in moments if moment is not None), default=None)

    def _someone_pulls(self) -> bool:
        return any(self._broker.states(each.id)["leased"] for each in self._pulled)

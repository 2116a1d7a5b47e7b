"""Whatever happens in whatever order, each message is somewhere exactly once."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from emulator.messages.broker import Broker, Delivery
from emulator.messages.dead_letters import original_id
from emulator.messages.publishing import Draft
from emulator.messages.store import Store
from sandbox.world import World
from tests.demo.clock import ManualClock
from tests.demo.worlds import DEAD_PULL, MAIN, PUSH, small_world


class Accounting(RuleBasedStateMachine):
    """Publishes, acknowledges, refuses, waits and restarts at random."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.world = World(Path(self.folder.name, "world.db"))
        small_world(self.world)
        self.clock = ManualClock()
        self.store = Store(Path(self.folder.name, "messages.db"))
        self.broker = Broker(self.world, self.store, self.clock)
        self.published: list[str] = []
        self.acknowledged: set[str] = set()
        self.held: list[Delivery] = []

    @rule(count=st.integers(1, 3))
    def publish(self, count: int) -> None:
        self.published += self.broker.publish(MAIN, [Draft(b"x")] * count)

    @rule(most=st.integers(1, 3))
    def lease(self, most: int) -> None:
        leased = self.broker.lease(self.broker.pipes.subscriptions[PUSH], most)
        assert not {each.message.id for each in leased} & self.acknowledged
        self.held += leased

    @rule(pick=st.integers(0, 100))
    def acknowledge(self, pick: int) -> None:
        if self.held:
            delivery = self.held[pick % len(self.held)]
            if self.broker.current(PUSH, delivery.message.id, delivery.lease):
                self.acknowledged.add(delivery.message.id)
            self.broker.ack([delivery])

    @rule(pick=st.integers(0, 100))
    def refuse(self, pick: int) -> None:
        if self.held:
            self.broker.nack(self.held[pick % len(self.held)], "no")

    @rule(seconds=st.sampled_from([1, 10, 60]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.store = Store(Path(self.folder.name, "messages.db"))
        self.broker = Broker(self.world, self.store, self.clock)
        self.broker.give_back()

    @invariant()
    def nothing_is_lost_and_nothing_is_double(self) -> None:
        states = self.broker.states(PUSH)
        assert states.total() == len(set(self.published)) == len(self.published)
        assert states["acked"] == len(self.acknowledged)
        dead = self.broker.waiting(self.broker.pipes.subscriptions[DEAD_PULL])
        firsts = [original_id(message) for message in dead]
        assert len(firsts) == len(set(firsts)) == states["dead"]
        assert not set(firsts) & self.acknowledged

    def teardown(self) -> None:
        self.store.close()
        self.world.close()
        self.folder.cleanup()


TestAccounting = Accounting.TestCase
TestAccounting.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
pytestmark = pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")

"""Fixtures of the component tests."""

import asyncio

import pytest

from tests.unit import harness


@pytest.fixture
def deploy() -> harness.Deploy:
    """Run a program under mocks and return what it registered."""
    return harness.run


@pytest.fixture(autouse=True)
def event_loop() -> None:
    """Let the thread have the loop that outputs want: `asyncio.run` of another test takes it."""
    try:
        asyncio.get_event_loop_policy().get_event_loop()  # pyrefly: ignore[deprecated]
    except RuntimeError:
        asyncio.set_event_loop(asyncio.new_event_loop())

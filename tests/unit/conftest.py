"""Fixtures of the component tests."""

import pytest

from tests.unit import harness


@pytest.fixture
def deploy() -> harness.Deploy:
    """Runs a program under mocks and gives what it registered."""
    return harness.run

"""Fixtures of the component tests."""

import pytest

from tests.unit import harness


@pytest.fixture
def deploy() -> harness.Deploy:
    """Run a program under mocks and return what it registered."""
    return harness.run

"""A model too large for one node comes up on the real engine, with its controller first."""

from collections.abc import Callable

import pytest

from launcher import operations
from tests.engine.conftest import Rehearsal

pytestmark = pytest.mark.usefixtures("engine")


@pytest.fixture(scope="module")
def stack(brought_up: Callable[[str], Rehearsal]) -> Rehearsal:
    return brought_up("dev with a model across nodes")


def test_its_pods_are_a_group_that_waited_for_the_controller(stack: Rehearsal) -> None:
    (group,) = stack.resources("kubernetes:leaderworkerset.x-k8s.io/v1:LeaderWorkerSet")
    assert any("helm.sh/v3:Release" in urn for urn in group["dependencies"])


def test_a_second_preview_changes_nothing(
    stack: Rehearsal, capsys: pytest.CaptureFixture[str]
) -> None:
    operations.preview(stack.places)
    assert "Nothing changes." in capsys.readouterr().out

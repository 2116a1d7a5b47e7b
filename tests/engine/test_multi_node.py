"""A model too large for one node comes up on the real engine, with its controller first."""

from collections.abc import Callable
from typing import Any

import pytest

from launcher import operations
from tests.engine.conftest import Rehearsal

pytestmark = pytest.mark.usefixtures("engine")


def large(config: dict[str, Any]) -> None:
    """Add a model of two nodes, and the pool it runs on, to a stack's config."""
    config["gpu_pools"]["h200"] = {
        "machine_type": "a3-ultragpu-8g",
        "capacity": "spot",
        "min_nodes": 0,
        "max_nodes": 2,
        "rdma": True,
    }
    config["models"]["deepseek-v3"] = {
        "source": "deepseek-ai/DeepSeek-V3-0324",
        "memory_gib": 1500,
        "replica_sets": [{"node_pool": "h200", "replicas": 1, "gpus": 8, "nodes": 2}],
    }


@pytest.fixture(scope="module")
def stack(rehearsal_of: Callable[[str], Rehearsal]) -> Rehearsal:
    rehearsal = rehearsal_of("prod")
    rehearsal.edit(large)
    operations.up(rehearsal.places)
    return rehearsal


def test_its_pods_are_a_group_that_waited_for_the_controller(stack: Rehearsal) -> None:
    groups = stack.resources("kubernetes:leaderworkerset.x-k8s.io/v1:LeaderWorkerSet")
    assert len(groups) == 2  # one in each region
    for group in groups:
        assert any("helm.sh/v3:Release" in urn for urn in group["dependencies"])


def test_a_second_preview_changes_nothing(
    stack: Rehearsal, capsys: pytest.CaptureFixture[str]
) -> None:
    operations.preview(stack.places)
    assert "Nothing changes." in capsys.readouterr().out

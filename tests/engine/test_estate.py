"""A platform in the estate of others on the real engine: made, unchanged, gone; theirs stays."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from launcher import operations
from launcher.paths import ROOT
from launcher.problem import LaunchError
from sandbox.world import World
from tests.engine.conftest import Rehearsal

pytestmark = pytest.mark.usefixtures("engine")


def test_it_is_made_stays_as_it_is_and_goes(
    rehearsal_of: Callable[[str], Rehearsal], capsys: pytest.CaptureFixture[str]
) -> None:
    stack = rehearsal_of("estate")
    shutil.copyfile(ROOT / "sandbox.estate.yaml", stack.places.existing)

    def without_range(config: dict[str, Any]) -> None:
        config["regions"]["us-central1"]["existing"]["pods_range"] = "pods"

    whole = stack.config.read_text()
    stack.edit(without_range)
    with pytest.raises(LaunchError) as refused:
        operations.preview(stack.places)
    assert "existing.pods_range: found 'pods', which the subnet inference doesn't have" in str(
        refused.value
    )
    stack.config.write_text(whole)
    outside = stack.places.existing.read_text()
    stack.places.existing.write_text(outside.replace("CHANNEL_STANDARD", "CHANNEL_DISABLED"))
    with pytest.raises(LaunchError) as refused:
        operations.preview(stack.places)
    assert "whose gateway_api_configs.channel is CHANNEL_DISABLED" in str(refused.value)
    assert "--location=us-central1 --gateway-api=standard`" in str(refused.value)
    stack.places.existing.write_text(outside)
    operations.up(stack.places)
    assert "0 violations" in capsys.readouterr().out
    operations.preview(stack.places)
    assert "Nothing changes." in capsys.readouterr().out

    def moved(config: dict[str, Any]) -> None:
        del config["regions"]["us-central1"]["existing"]["cluster"]

    stack.edit(moved)
    with pytest.raises(LaunchError) as refused:
        operations.preview(stack.places)
    assert "existing.cluster: found none, but us-central1 was made with shared" in str(
        refused.value
    )
    assert "network.existing" not in str(refused.value)
    stack.config.write_text(whole)
    # What was made to use an access that is lost stays as it is while that is given again.
    with World(stack.places.world) as world:
        for each in [each for each in world.all() if each.type.lower().endswith("iammember")]:
            world.remove(each.type, each.id, each.scope)
    operations.refresh(stack.places)
    with operations.run(stack.places, "preview") as (progress, _):
        assert set(progress.changes) == {"create"}
    operations.destroy(stack.places)
    assert stack.deployment().get("resources", []) == []
    with World(stack.places.world) as world:
        assert world.count() == 0
        document = yaml.safe_load(outside)
        seeds = [each for kind in document["existing"].values() for each in kind]
        assert len(world.all()) == len(seeds)

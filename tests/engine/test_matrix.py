"""Every option on the real engine: made, found the same by a second preview, gone again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from launcher import operations
from sandbox.world import World
from tests.config.intended import configured
from tests.config.matrix import ENVIRONMENTS, stacks
from tests.engine.conftest import Rehearsal

pytestmark = [pytest.mark.usefixtures("engine"), pytest.mark.matrix]
CASES = [(each, number) for each in ENVIRONMENTS for number in range(len(stacks(each)))]


@pytest.mark.parametrize(("environment", "number"), CASES)
def test_a_stack_is_made_stays_as_it_is_and_goes(
    environment: str, number: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = rehearsal(environment, stacks(environment)[number], tmp_path)
    operations.up(stack.places, skip_preview=True)
    capsys.readouterr()
    operations.preview(stack.places)
    assert "Nothing changes." in capsys.readouterr().out
    stack.edit(lambda config: config.update(deletion_protection=False))
    operations.up(stack.places, skip_preview=True)
    operations.destroy(stack.places)
    assert stack.deployment().get("resources", []) == []
    with World(stack.places.world) as world:
        assert world.count() == 0


def rehearsal(environment: str, config: dict[str, Any], folder: Path) -> Rehearsal:
    """Return the rehearsal of a config, where the policies allow what its options ask for."""
    made = Rehearsal(environment, folder)
    own = {"pulumi:disable-default-providers": ["gcp", "kubernetes"]}
    made.config.write_text(json.dumps({"config": {**own, **config}}))
    rules = configured(environment, allowing=True)
    (folder / "environment.yaml").write_text(json.dumps({"rules": rules}))
    return made

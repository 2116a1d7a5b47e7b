"""`make verify` with the sandbox's own providers as the real ones."""

from pathlib import Path

import pytest

from launcher.paths import ROOT, StackPaths
from launcher.problem import LaunchError
from launcher.verify import verify
from sandbox.providers import serve
from sandbox.world import World


@pytest.fixture
def places(tmp_path: Path) -> StackPaths:
    return StackPaths("dev", ROOT / "Pulumi.dev.yaml", tmp_path / "dev")


def test_the_plans_of_the_same_providers_agree(
    places: StackPaths, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with World(tmp_path / "real.db") as world, serve(world) as servers:
        verify(places, servers.debug_providers)
    assert "as the real providers do" in capsys.readouterr().out


def test_a_machine_that_cannot_have_the_plugins_says_so(places: StackPaths) -> None:
    with pytest.raises(
        LaunchError, match=r"gcp .* can't be installed here .* nothing was verified"
    ):
        verify(places)

"""What `make up` makes of both environments on the sandbox cloud, once for all tests here."""

from pathlib import Path

import pytest

from sandbox.launcher import operations
from tests.engine.conftest import ENGINE, Rehearsal


@pytest.fixture(scope="session")
def rehearsals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Rehearsal]:
    if not ENGINE.exists():
        pytest.fail("the Pulumi engine isn't set up: run `make setup`", pytrace=False)
    made: dict[str, Rehearsal] = {}
    for stack in ("dev", "prod"):
        made[stack] = Rehearsal(stack, tmp_path_factory.mktemp(stack))
        operations.up(made[stack].places)
    return made


@pytest.fixture(scope="session")
def home(rehearsals: dict[str, Rehearsal], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds both, as INFERENCE_SANDBOX does."""
    folder = tmp_path_factory.mktemp("sandbox")
    for stack, rehearsal in rehearsals.items():
        (folder / stack).symlink_to(rehearsal.places.home)
    return folder

"""What `make up` makes of both environments on the sandbox cloud, once for all tests here.

And of a variant: `services` is dev with services of the cluster instead of what Google runs, and
with Cloud Armor.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.conftest import Rehearsal

VARIANTS = {"dev": "dev", "prod": "prod", "services": "dev with services"}


@pytest.fixture(scope="session")
def rehearsals(brought_up: Callable[[str], Rehearsal]) -> dict[str, Rehearsal]:
    return {name: brought_up(variant) for name, variant in VARIANTS.items()}


@pytest.fixture(scope="session")
def home(rehearsals: dict[str, Rehearsal], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that holds both, as INFERENCE_SANDBOX does."""
    folder = tmp_path_factory.mktemp("sandbox")
    for stack, rehearsal in rehearsals.items():
        (folder / stack).symlink_to(rehearsal.places.home)
    return folder

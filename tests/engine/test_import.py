"""What is there already is taken over, on the real engine: never replaced, and protected."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from launcher import operations
from launcher.problem import LaunchError
from sandbox.world import EXISTING, World
from tests.engine.conftest import Rehearsal

pytestmark = pytest.mark.usefixtures("engine")

TAKEN = {
    "bigquery.Dataset": "inference-predictions",
    "compute.Network": "inference",
    "container.Cluster": "inference-us-central1-cluster",
    "storage.Bucket": "training-lake",
}


def token(short: str) -> str:
    """Return the token of a type: `gcp:storage/bucket:Bucket` for `storage.Bucket`."""
    module, _, name = short.partition(".")
    return f"gcp:{module}/{name[0].lower()}{name[1:]}:{name}"


@pytest.fixture(scope="module")
def dev(
    brought_up: Callable[[str], Rehearsal], rehearsal_of: Callable[[str], Rehearsal]
) -> Rehearsal:
    """Give an environment that isn't made, some of whose resources others made before."""
    made, dev = brought_up("dev"), rehearsal_of("dev")
    there: dict[str, list[dict[str, Any]]] = {}
    for type_, name in TAKEN.items():
        (found,) = (
            each for each in made.resources(token(type_)) if each["urn"].endswith(f"::{name}")
        )
        project = {"project": "acme-inference-dev"}
        there[type_.replace(".", "__")] = [{**project, **found["inputs"]}]
        ids = yaml.safe_load(dev.places.imports.read_text()) if dev.places.imports.exists() else {}
        ids.setdefault("import", {})[type_] = {name: found["id"]}
        dev.places.imports.write_text(yaml.safe_dump(ids))
    there["storage__Bucket"][0]["labels"] = {"team": "before"}
    dev.add_existing(**there)
    return dev


def test_it(dev, capsys):
    print(dev.places.imports.read_text(), dev.places.existing.read_text())
    operations.OPERATIONS["import"](dev.places)
    out = capsys.readouterr().out
    open("/tmp/exp/out.txt", "w").write(out)

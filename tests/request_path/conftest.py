"""What `make up` makes of both environments on the sandbox cloud, once for all tests here.

And of a variant: `services` is dev with services of the cluster instead of what Google runs, and
with Cloud Armor.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from launcher import operations
from tests.engine.conftest import ENGINE, Rehearsal

IMAGES = "us-central1-docker.pkg.dev/acme-inference-dev/images"


def _as_it_is(config: dict[str, Any]) -> None:
    assert config


def _with_services(config: dict[str, Any]) -> None:
    """Add API management and a guardrail of the Gateway, another guardrail at a replica."""
    config["edge_protection"] = {"deny": ["10.200.0.128/25"], "with_guardrails": True}
    config["api_management"] = {"extension": {"image": f"{IMAGES}/apim:1.0", "port": 50051}}
    config["guardrails"] = {
        "default": {"service": {"image": f"{IMAGES}/nemo:1.0", "port": 50051}},
        "own": {"at": "replica", "service": {"image": f"{IMAGES}/nemo-proxy:1.0", "port": 8080}},
    }
    config["models"]["llama-3.2-1b"] = {
        "source": "RedHatAI/Llama-3.2-1B-Instruct-FP8",
        "memory_gib": 14,
        "max_context": 8192,
        "guardrail": "own",
        "replica_sets": [{"node_pool": "l4-spot", "replicas": 1}],
    }


VARIANTS: dict[str, tuple[str, Callable[[dict[str, Any]], None]]] = {
    "dev": ("dev", _as_it_is),
    "prod": ("prod", _as_it_is),
    "services": ("dev", _with_services),
}


@pytest.fixture(scope="session")
def rehearsals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Rehearsal]:
    if not ENGINE.exists():
        pytest.fail("the Pulumi engine isn't set up: run `make setup`", pytrace=False)
    made: dict[str, Rehearsal] = {}
    for name, (stack, change) in VARIANTS.items():
        made[name] = Rehearsal(stack, tmp_path_factory.mktemp(name))
        made[name].edit(change)
        operations.up(made[name].places)
    return made


@pytest.fixture(scope="session")
def home(rehearsals: dict[str, Rehearsal], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that holds both, as INFERENCE_SANDBOX does."""
    folder = tmp_path_factory.mktemp("sandbox")
    for stack, rehearsal in rehearsals.items():
        (folder / stack).symlink_to(rehearsal.places.home)
    return folder

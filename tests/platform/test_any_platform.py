"""Whatever the config lets through can be made: no component refuses what the checks passed."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any, Final

import pytest

from catalog.openapi import parsed
from components import COMPONENTS
from stacks.platform import build_platform
from tests.config.options import Generator, Option, options
from tests.config.samples import REMOVED, changed, values
from tests.config.test_properties import PROD
from tests.unit.harness import run
from tests.unit.reached import Key, Recorder, options_of

JWT: Final = {
    "issuer": "https://id.acme.com",
    "audience": "chat",
    "jwks_uri": "https://id.acme.com/k",
}
KEY: Final = "projects/acme-secrets/secrets/inference-tls/versions/3"
DATAFLOW: Final = {"fields": [{"name": "text", "type": "STRING"}]}
# Configs to begin with: each of the choices that exclude one another stands in one of them.
BASES: Final[tuple[Mapping[str, Any], ...]] = (
    values(),
    PROD,
    changed(
        ("gateway|hostname", "inference.dev.acme.internal"),
        ("gateway|certificate", {
            "kind": "self-managed", "private_key": KEY,
            "chain_file": "tests/config/certificates/dev.pem",
        }),
        ("api_management|apigee|authentication", "jwt"),
        ("api_management|apigee|organization", "new"),
        ("api_management|apigee|jwt", JWT),
        ("api_management|apigee|consumers|apps|client_id", "acme-apps"),
        ("gpu_pools|l4|capacity", "flex-start"),
        ("gpu_pools|l4|max_run_hours", 24),
        ("images|vllm", "vllm/vllm-openai:v0.26.0"),
        ("pipelines|sentiment|dataflow", DATAFLOW),
    ),
    changed(
        ("gateway|hostname", "inference.acme.com"),
        ("gateway|certificate", {"kind": "managed", "zone": "acme", "zone_project": "acme-dns"}),
        ("gpu_pools|l4|capacity", "reservation"),
        ("gpu_pools|l4|reservation", "l4"),
        ("gpu_pools|l4|zones", {"us-central1": ["us-central1-a"]}),
        ("edge_protection", {"with_guardrails": True, "deny": ["10.0.0.0/8"]}),
        ("services|chat|front", "load_balancer"),
        ("services|chat|api_gateway", None),
        ("services|chat|load_balancer", {
            "kind": "regional-external", "hostname": "chat.acme.com",
            "certificate": "projects/acme/locations/us-central1/certificates/chat",
        }),
        ("models|gemini", {"external": [{"name": "vertex", "vertex_ai": {"endpoint": "openapi"}}]}),
    ),
    changed(
        ("gateway|certificate", {"kind": "existing", "names": {"us-central1": "inference"}}),
        ("api_management", {"extension": {"image": "docker.io/acme/manager:1.0", "port": 8080}}),
        ("consumers|partner", REMOVED),
        ("consumers|apps|shared_with", ["projects/acme-web/global/networks/web"]),
        ("gateway|accept", "network"),
        ("guardrails|default", {
            "at": "replica", "service": {"image": "docker.io/acme/guard:1.0", "port": 7003},
        }),
        ("gpu_pools|h200", {
            "machine_type": "a3-ultragpu-8g", "capacity": "spot", "rdma": True,
            "min_nodes": 0, "max_nodes": 2,
        }),
        ("models|large", {
            "source": "acme/large", "memory_gib": 1000, "guardrail": "none",
            "replica_sets": [{"node_pool": "h200", "replicas": 1, "gpus": 8, "nodes": 2}],
        }),
    ),
)  # fmt: skip
MOST_PLATFORMS: Final = 8


@dataclass(frozen=True)
class Search:
    """What was tried: every option of the config, until a platform was made with it."""

    missing: set[Option]
    given: set[Key]
    """Arguments that a component was given meanwhile."""


@pytest.fixture(scope="module")
def search() -> Iterator[Search]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        # The same document is read each time.
        monkeypatch.setattr("config.checks.services.parsed", cache(parsed))
        recorder = Recorder()
        recorder.watch(monkeypatch)
        random = Random(0)  # noqa: S311 - the same configs each time
        wanted = {*options()}
        for platform in range(MOST_PLATFORMS):
            wanted -= make_one(wanted, BASES[platform % len(BASES)], random)
        yield Search(wanted, recorder.given)


def test_a_config_that_loads_can_be_made(search: Search) -> None:
    # A few want companions that chance does not find.
    assert len(search.missing) < len({*options()}) / 25, sorted(map(str, search.missing))


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_option_of_a_component_is_reached_from_a_stack_file(
    search: Search, component: str
) -> None:
    assert options_of(component) <= search.given


def make_one(wanted: set[Option], base: Mapping[str, Any], random: Random) -> set[Option]:
    """Make a platform of as many of the options as go together, and return these."""
    generator = Generator(copy.deepcopy(dict(base)), random)
    order = sorted(wanted, key=str)
    random.shuffle(order)
    found = {option for option in order if generator.set(option)}
    # A first preview: what the cloud would answer is unknown.
    run(lambda: build_platform(generator.platform), preview=True)
    return found

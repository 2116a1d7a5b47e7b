"""Fixtures: a world in a temporary folder, its providers, and clients that speak to them."""

import os
import shutil
from collections.abc import Generator
from pathlib import Path

import pytest
from pulumi import automation

from sandbox.providers import Servers, serve
from sandbox.world import World
from tests.sandbox.client import Client, connect
from tests.sandbox.clusters import make_cluster

ROOT = Path(__file__).parents[2]


@pytest.fixture
def world(tmp_path: Path) -> Generator[World]:
    with World(tmp_path / "world.db") as opened:
        yield opened


@pytest.fixture
def servers(world: World) -> Generator[Servers]:
    with serve(world, patience=0.2) as running:
        yield running


@pytest.fixture
def gcp(servers: Servers) -> Generator[Client]:
    with connect(servers.ports["gcp"]) as client:
        client.configure(project="acme", region="us-central1")
        yield client


@pytest.fixture
def cluster(gcp: Client, servers: Servers) -> Generator[Client]:
    config = make_cluster(gcp, "one", gatewayApiConfig={"channel": "CHANNEL_STANDARD"})
    with connect(servers.ports["kubernetes"]) as client:
        client.configure(kubeconfig=config)
        yield client


@pytest.fixture
def pulumi_command(monkeypatch: pytest.MonkeyPatch) -> automation.PulumiCommand:
    """Return the real engine: of INFERENCE_ENGINE (a folder), on PATH, or where `make setup`
    puts it."""
    candidates = [os.environ.get("INFERENCE_ENGINE"), None, str(ROOT / ".engine" / "bin")]
    found = next((f for f in (shutil.which("pulumi", path=c) for c in candidates) if f), None)
    if found is None:
        pytest.fail("no Pulumi engine found: run `make setup`")
    monkeypatch.setenv("PATH", f"{Path(found).parent}{os.pathsep}{os.environ['PATH']}")
    return automation.PulumiCommand()

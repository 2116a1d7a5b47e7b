"""One real API server for the session, with the definitions that a GKE cluster has."""

import shutil
from collections.abc import Callable, Generator, Iterator

import pytest

from emulator.gateway import serve
from emulator.gateway.client import Client
from emulator.gateway.cluster import Cluster, clusters
from emulator.gateway.control_plane import API_SERVER, ETCD, control_plane
from emulator.gateway.definitions import installed
from sandbox.world import World
from tests.engine.conftest import Rehearsal
from tests.kubernetes.asked_path import STACKS, Path, unlimited
from tests.kubernetes.held import held

NEEDED = {
    "the API server": API_SERVER.exists(),
    "etcd": ETCD.exists(),
    "go": shutil.which("go") is not None,
    "openssl": shutil.which("openssl") is not None,
}


@pytest.fixture(scope="session")
def api_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    missing = [name for name, there in NEEDED.items() if not there]
    if missing:
        pytest.skip(
            f"NO MANIFEST WAS CHECKED BY A REAL API SERVER: {', '.join(missing)} missing; "
            "`make test-kubernetes` says what to install"
        )
    with control_plane(tmp_path_factory.mktemp("control-plane")) as client:
        yield client


@pytest.fixture(scope="session")
def cluster(api_server: Client) -> Client:
    """Return the API server as GKE hands it over."""
    for definition in installed():
        api_server.apply(definition)
    return api_server


@pytest.fixture(scope="session")
def stacks(brought_up: Callable[[str], Rehearsal]) -> dict[str, list[Cluster]]:
    """Return what dev and prod put into each of their clusters."""
    return {stack: clusters(brought_up(stack).resources()) for stack in STACKS}


@pytest.fixture(scope="module", params=STACKS)
def path(
    request: pytest.FixtureRequest,
    cluster: Client,
    stacks: dict[str, list[Cluster]],
    brought_up: Callable[[str], Rehearsal],
    tmp_path_factory: pytest.TempPathFactory,
) -> Generator[Path]:
    stack: str = request.param
    region = stacks[stack][0]
    folder = tmp_path_factory.mktemp("gateway")
    with (
        World(brought_up(stack).places.world) as cloud,
        held(cluster, region),
        serve.path(region, cluster, cloud, folder) as gateway,
    ):
        yield unlimited(Path(stack, region, cluster, gateway))

"""Revisions, their shares of the requests, and the secrets they see, as the stack says."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from emulator.demo.calls import chat
from emulator.runtime.emulator import Emulator, RunningService, emulate
from emulator.runtime.mounts import mounted
from emulator.runtime.services import Share
from emulator.runtime.traffic import Traffic
from launcher import operations
from launcher.problem import LaunchError
from sandbox.world import World
from tests.demo.test_services import status
from tests.engine.conftest import Rehearsal

CALLER = "chat-caller@acme-inference-dev.iam.gserviceaccount.com"
CHAT = {
    "region": "us-central1",
    "image": "us-central1-docker.pkg.dev/acme-inference-dev/services/llm-backend:1.0.0",
    "models": ["qwen3-4b"],
    "max_instances": 1,
    "invokers": ["group:ml-apps@acme.com"],
    "environment": {
        "LLM_AUTH": "api_key",
        "LLM_API_KEY_FILE": "/secrets/api/llm_api_key",
        "LLM_API_KEY_SECONDS": "0",
    },
    "secret_files": {"/secrets/api/llm_api_key": "llm-api-key"},
    "revision": "v1",
    "traffic": [{"revision": "v1", "percent": 100}],
}
CANARY = [
    {"revision": "v1", "percent": 90},
    {"revision": "v2", "percent": 10, "tag": "next"},
]
MEMBER = "group:ml-apps@acme.com"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Rehearsal:
    """Return a stack whose LLM backend is at its first revision."""
    rehearsal = Rehearsal("dev", tmp_path_factory.mktemp("traffic"))

    def first(config: dict[str, Any]) -> None:
        config |= {"pipelines": {}, "data": {}, "services": {"chat": CHAT}}
        config["secrets"] = {"llm-api-key": {}}

    rehearsal.edit(first)
    operations.up(rehearsal.places, skip_preview=True)
    return rehearsal


def changed(stack: Rehearsal, **settings: Any) -> None:
    stack.edit(lambda config: config["services"]["chat"].update(settings))
    operations.up(stack.places, skip_preview=True)


def refused(stack: Rehearsal, **settings: Any) -> str:
    """Return what the cloud says to a change, which is then taken back."""
    kept = stack.config.read_text()
    with pytest.raises(LaunchError) as found:
        changed(stack, **settings)
    stack.config.write_text(kept)
    return str(found.value)


def on(stack: Rehearsal, work: Callable[[Emulator, RunningService], Awaitable[None]]) -> None:
    async def run() -> None:
        with World(stack.places.world) as world:
            async with emulate(world, stack.places.home, skip=False) as emulator:
                await work(emulator, emulator.hosted[0])

    asyncio.run(run())


def invoker_token(emulator: Emulator, hosted: RunningService) -> str:
    return emulator.issuer.token("ada@acme.com", hosted.service.uri, groups=[MEMBER])


async def answered(
    emulator: Emulator, hosted: RunningService, count: int, **headers: str
) -> dict[str, int]:
    """Return how many of so many requests went to each revision."""
    before = hosted.ingress.answered.copy()
    token = invoker_token(emulator, hosted)
    for _ in range(count):
        assert await status(emulator, hosted, token, **headers) == 200
    return dict(hosted.ingress.answered - before)


def test_a_service_waits_for_its_secret_and_then_reads_it_as_a_file(stack: Rehearsal) -> None:
    place = stack.places.home / "secrets" / "llm-api-key"

    async def away() -> None:
        with World(stack.places.world) as world:
            async with emulate(world, stack.places.home, skip=False) as emulator:
                assert emulator.hosted == []
                assert f"put its value into the file {place}" in emulator.elsewhere["chat"]

    asyncio.run(away())
    place.parent.mkdir()
    place.write_text("s3cret")

    async def work(emulator: Emulator, hosted: RunningService) -> None:
        checks, _ = await chat(emulator, hosted)
        assert [check for check in checks if not check.good] == []
        assert emulator.model.headers[0]["authorization"] == "Bearer s3cret"
        copies = [file for file in emulator.home.rglob("llm_api_key") if file.is_file()]
        assert [oct(file.stat().st_mode)[-3:] for file in copies] == ["600"]

    on(stack, work)
    assert not list(stack.places.home.rglob("llm_api_key"))


def test_a_new_version_of_a_mounted_secret_is_used_by_the_same_instance(stack: Rehearsal) -> None:
    place = stack.places.home / "secrets" / "llm-api-key"

    async def shown(emulator: Emulator, hosted: RunningService) -> str:
        checks, _ = await chat(emulator, hosted)
        assert [check for check in checks if not check.good] == []
        return emulator.model.headers[-1]["authorization"]

    async def work(emulator: Emulator, hosted: RunningService) -> None:
        assert await shown(emulator, hosted) == "Bearer s3cret"
        place.write_text("rotated")
        assert await shown(emulator, hosted) == "Bearer rotated"
        # Disabled, it can't be read: what was read before goes on, and the log tells.
        place.unlink()
        assert await shown(emulator, hosted) == "Bearer rotated"
        assert hosted.instances.started == 1

    on(stack, work)
    place.write_text("s3cret")


def test_a_canary_gets_its_share_and_its_tag_then_gives_it_back(stack: Rehearsal) -> None:
    changed(stack, revision="v2", memory_mib=1024, traffic=CANARY)

    async def shared(emulator: Emulator, hosted: RunningService) -> None:
        assert await answered(emulator, hosted, 100) == {"chat-v1": 90, "chat-v2": 10}
        host = hosted.service.uri.removeprefix("https://")
        assert await answered(emulator, hosted, 3, host=f"next---{host}") == {"chat-v2": 3}
        token = invoker_token(emulator, hosted)
        assert await status(emulator, hosted, token, host=f"other---{host}") == 404
        assert await status(emulator, hosted, None, host=f"next---{host}") == 403
        assert emulator.resolve(f"https://next---{host}") == hosted.url
        one, other = hosted.revisions["chat-v1"], hosted.revisions["chat-v2"]
        assert len(one.running()) == len(other.running()) == 1

    on(stack, shared)
    blue_green = [{"revision": "v1", "percent": 100}, {**CANARY[1], "percent": 0}]
    changed(stack, traffic=blue_green)

    async def by_its_tag_alone(emulator: Emulator, hosted: RunningService) -> None:
        host = hosted.service.uri.removeprefix("https://")
        assert await answered(emulator, hosted, 20) == {"chat-v1": 20}
        assert await answered(emulator, hosted, 2, host=f"next---{host}") == {"chat-v2": 2}

    on(stack, by_its_tag_alone)
    changed(stack, traffic=[{"revision": "v1", "percent": 100}])

    async def rolled_back(emulator: Emulator, hosted: RunningService) -> None:
        assert await answered(emulator, hosted, 5) == {"chat-v1": 5}
        assert hosted.revisions["chat-v2"].running() == []

    on(stack, rolled_back)


def test_the_cloud_refuses_traffic_to_nowhere_and_a_name_given_twice(stack: Rehearsal) -> None:
    said = refused(stack, traffic=[{"revision": "v7", "percent": 100}])
    assert "traffic[0].revision: Revision named 'chat-v7' not found." in said
    said = refused(stack, revision="v1", memory_mib=2048)
    assert "Revision named 'chat-v1' with different configuration already exists." in said
    (service,) = stack.resources("gcp:cloudrunv2/service:Service")
    assert service["outputs"]["latestReadyRevision"].endswith("/revisions/chat-v2")


def test_a_service_that_goes_leaves_no_revision(stack: Rehearsal) -> None:
    operations.destroy(stack.places)
    with World(stack.places.world) as world:
        assert world.count() == 0


@pytest.mark.parametrize("percents", [(100,), (50, 50), (90, 10), (1, 99), (33, 33, 34)])
def test_of_a_hundred_requests_each_revision_gets_its_percentage(percents: tuple[int, ...]) -> None:
    shares = [Share(f"v{at}", percent) for at, percent in enumerate(percents)]
    traffic = Traffic(shares)
    found = [traffic.revision_for("service.run.app") for _ in range(300)]
    assert [found.count(share.revision) for share in shares] == [3 * each for each in percents]


def test_variables_that_name_a_mounted_file_or_folder_lead_to_it(tmp_path: Path) -> None:
    files = {"/secrets/api/key": "one", "/etc/tls/ca": "two"}
    with mounted(tmp_path / "files", files) as mounts:
        seen = mounts.seen_by(
            {
                "A": "/secrets/api/key",
                "B": "/secrets/",
                "C": "/etc/tls",
                "D": "/secrets/api/k",
                "E": "/",
            }
        )
        assert Path(seen["A"]).read_text() == "one"
        assert Path(seen["B"], "api", "key").read_text() == "one"
        assert Path(seen["C"], "ca").read_text() == "two"
        assert (seen["D"], seen["E"]) == ("/secrets/api/k", "/")
    assert not (tmp_path / "files").exists()

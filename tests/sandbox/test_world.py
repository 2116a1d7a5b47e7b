"""The sandbox cloud's memory."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.world import Assumption, CloudResource, World, WorldError

TOPIC = "gcp:pubsub/topic:Topic"


def topic(short: str, **inputs: object) -> CloudResource:
    return CloudResource(TOPIC, f"projects/p/topics/{short}", project="p", inputs=dict(inputs))


def test_a_world_survives_its_process(tmp_path: Path) -> None:
    with World(tmp_path / "deep" / "world.db") as world:
        world.put(replace(topic("a", name="a"), urn="urn:a", outputs={"x": [1, {"y": None}]}))
        world.add_project("p", "123")
        world.enable_api("p", "run.googleapis.com")
        world.assume("group:g", "urn:a")
    with World(tmp_path / "deep" / "world.db") as world:
        found = world.get(TOPIC, "projects/p/topics/a")
        assert found is not None
        assert found.inputs == {"name": "a"}
        assert found.outputs == {"x": [1, {"y": None}]}
        assert found.urn == "urn:a"
        assert world.projects() == {"p": "123"}
        assert world.enabled_apis("p") == {"run.googleapis.com"}
        assert world.assumptions() == [Assumption("group:g", "urn:a")]


def test_clusters_are_kept_apart(world: World) -> None:
    for scope in ("one", "two"):
        world.put(CloudResource("kubernetes:core/v1:ConfigMap", "default/a", scope))
    assert world.count() == len(world.all()) == len(["one", "two"])
    world.remove("kubernetes:core/v1:ConfigMap", "default/a", "one")
    assert not world.exists("default/a", "one")
    assert [resource.scope for resource in world.in_scope("two")] == ["two"]


def test_a_failed_transaction_leaves_no_trace(world: World) -> None:
    with pytest.raises(ValueError, match="stop"), world.transaction():
        world.put(topic("a"))
        raise ValueError("stop")
    assert world.count() == 0


def test_changing_a_resource_keeps_its_place(world: World) -> None:
    for name in "abc":
        world.put(topic(name))
    world.put(topic("a", labels={"x": "y"}))
    assert [resource.id[-1] for resource in world.by_type(TOPIC)] == ["a", "b", "c"]
    assert world.by_type(TOPIC, project="other") == []


def test_threads_share_a_world(world: World) -> None:
    def work(number: int) -> None:
        for index in range(20):
            with world.transaction():
                world.put(topic(f"{number}-{index}"))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert world.count() == 8 * 20


@pytest.mark.parametrize(
    "content", [b"not a database at all, but long enough" * 50, b"SQLite format 3\0bad"]
)
def test_a_damaged_world_says_what_to_do(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "world.db"
    path.write_bytes(content)
    with pytest.raises(WorldError) as refused:
        World(path)
    message = str(refused.value)
    assert str(path) in message
    assert "delete it" in message
    assert "delete it together with the state" in message


def test_a_world_damaged_in_the_middle_is_found_on_opening(tmp_path: Path) -> None:
    path = tmp_path / "world.db"
    with World(path) as world:
        for index in range(500):
            world.put(topic(str(index), text="x" * 200))
    content = bytearray(path.read_bytes())
    content[8192:40960] = b"\xff" * (40960 - 8192)
    path.write_bytes(content)
    with pytest.raises(WorldError, match="cannot be read"):
        World(path)


def test_a_world_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "world.db"
    with World(path) as world:
        world._connection.execute("PRAGMA user_version = 99")  # noqa: SLF001 - plays a later program
    with pytest.raises(WorldError, match="version 99"):
        World(path)


def test_a_folder_in_the_way_is_an_error_not_a_crash(tmp_path: Path) -> None:
    with pytest.raises(WorldError):
        World(tmp_path)


def test_a_world_in_use_says_so_and_not_to_delete_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.database._PATIENCE_SECONDS", 0.1)
    path = tmp_path / "world.db"
    with World(path) as one, World(path) as other, one.transaction():
        one.put(topic("a"))
        with pytest.raises(WorldError, match="database is locked") as refused:
            other.put(topic("b"))
        assert "delete it" not in str(refused.value)


def test_only_its_owner_reads_a_world(tmp_path: Path) -> None:
    with World(tmp_path / "world.db"):
        assert (tmp_path / "world.db").stat().st_mode & 0o077 == 0

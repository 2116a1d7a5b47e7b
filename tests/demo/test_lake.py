"""Archives are files as the Cloud Storage subscription describes them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emulator.messages.broker import Broker
from emulator.messages.cloud_storage_export import BUCKET, CloudStorageExport, read_messages
from emulator.messages.publishing import Draft
from emulator.messages.resources import Subscription
from sandbox.world import World
from tests.demo.clock import ManualClock
from tests.demo.test_schemas import AVRO
from tests.demo.worlds import AGENT, MAIN, add, add_schema, add_subscription, add_topic, grant

RIGHTS = "gcp:storage/bucketIAMMember:BucketIAMMember"
Open = Callable[[], Broker]


@pytest.fixture
def lake(world: World, tmp_path: Path) -> CloudStorageExport:
    add(world, BUCKET, "archive", name="archive")
    for role in ("storage.objectCreator", "storage.legacyBucketReader"):
        grant(world, RIGHTS, "b/archive", f"roles/{role}", AGENT, bucket="archive")
    return CloudStorageExport(world, tmp_path / "lake")


def archive(world: World, topic: str = MAIN, **config: Any) -> str:
    storage = {"bucket": "archive", **config}
    return add_subscription(world, "archive", topic, cloudStorageConfig=storage)


def opened(open_broker: Open, id_: str) -> tuple[Broker, Subscription]:
    broker = open_broker()
    return broker, broker.pipes.subscriptions[id_]


def test_text_files_have_prefix_time_and_suffix(
    world: World, lake: CloudStorageExport, open_broker: Open, clock: ManualClock
) -> None:
    id_ = archive(
        world,
        filenamePrefix="in/",
        filenameSuffix=".txt",
        filenameDatetimeFormat="YYYY-MM-DD/hh_mm_ssZ",
    )
    broker, subscription = opened(open_broker, id_)
    broker.publish(MAIN, [Draft(b"one"), Draft(b"two")])
    file = lake.write(broker, subscription)
    assert file is not None
    assert file.read_text() == "one\ntwo\n"
    assert file.relative_to(lake.folder).as_posix().startswith("archive/in/2027-01-15/08_00_00Z_")
    assert file.suffix == ".txt"
    assert broker.states(id_) == {"acked": 2}
    assert lake.write(broker, subscription) is None


@pytest.mark.parametrize(
    ("config", "drafts", "due_after"),
    [
        ({"maxDuration": "60s"}, 2, 60),
        ({}, 2, 300),
        ({"maxMessages": 2}, 2, 0),
        ({"maxMessages": 3}, 2, 300),
        ({"maxBytes": 6}, 2, 0),
        ({"maxBytes": 7}, 2, 300),
    ],
)
def test_a_file_is_written_when_it_is_old_or_full(
    world: World,
    lake: CloudStorageExport,
    open_broker: Open,
    clock: ManualClock,
    config: dict[str, Any],
    drafts: int,
    due_after: int,
) -> None:
    broker, subscription = opened(open_broker, archive(world, **config))
    assert lake.due(broker, subscription) is None
    broker.publish(MAIN, [Draft(b"abc")] * drafts)
    assert lake.due(broker, subscription) == clock.now() + due_after


def test_avro_files_hold_the_message_with_what_pubsub_knows_of_it(
    world: World, lake: CloudStorageExport, open_broker: Open
) -> None:
    id_ = archive(world, avroConfig={"writeMetadata": True})
    broker, subscription = opened(open_broker, id_)
    (first,) = broker.publish(MAIN, [Draft(b"one", {"color": "red"}, "key")])
    file = lake.write(broker, subscription)
    assert file is not None
    (record,) = read_messages(file)
    assert record.pop("publish_time").timestamp() == broker.store.message(first).published
    assert record == {
        "subscription_name": id_,
        "message_id": first,
        "attributes": {"color": "red"},
        "ordering_key": "key",
        "data": b"one",
    }


def test_avro_files_have_the_topics_own_fields_where_it_has_a_schema(
    world: World, lake: CloudStorageExport, open_broker: Open
) -> None:
    topic = add_schema(world, AVRO, "AVRO", "JSON")
    id_ = archive(world, topic, avroConfig={"useTopicSchema": True})
    broker, subscription = opened(open_broker, id_)
    broker.publish(topic, [Draft(b'{"id": "1", "stars": null}')])
    file = lake.write(broker, subscription)
    assert file is not None
    assert read_messages(file) == [{"id": "1", "stars": None}]


def test_without_the_right_to_write_messages_wait_and_are_archived_later(
    world: World, lake: CloudStorageExport, open_broker: Open, clock: ManualClock
) -> None:
    grants = world.by_type(RIGHTS)
    world.remove(*grants[0].key)
    id_ = archive(world)
    broker, subscription = opened(open_broker, id_)
    broker.publish(MAIN, [Draft(b"one")])
    assert lake.write(broker, subscription) is None
    assert broker.states(id_) == {"waiting": 1}
    world.put(grants[0])
    clock.advance(60)
    assert lake.write(broker, subscription) is not None
    assert broker.states(id_) == {"acked": 1}


@pytest.mark.parametrize("most", [{"maxBytes": 7}, {"maxMessages": 2}])
def test_what_is_more_than_a_file_takes_goes_to_the_next_one(
    world: World, lake: CloudStorageExport, open_broker: Open, most: dict[str, Any]
) -> None:
    id_ = archive(world, **most)
    broker, subscription = opened(open_broker, id_)
    broker.publish(MAIN, [Draft(text) for text in (b"one", b"two", b"three", b"much too long")])
    contents: list[str] = []
    while (file := lake.write(broker, subscription)) is not None:
        contents.append(file.read_text())
    whole = ["one\ntwo\n", "three\n", "much too long\n"]
    assert contents == (whole if "maxBytes" in most else [whole[0], "".join(whole[1:])])
    assert broker.states(id_) == {"acked": 4}


def test_a_message_that_no_longer_fits_the_schema_waits_and_is_not_lost(
    world: World, lake: CloudStorageExport, open_broker: Open
) -> None:
    topic = add_topic(world, "typed")
    id_ = archive(world, topic, avroConfig={"useTopicSchema": True})
    open_broker().publish(topic, [Draft(b"not Avro")])
    add_schema(world, AVRO, "AVRO", "JSON")
    broker, subscription = opened(open_broker, id_)
    assert lake.write(broker, subscription) is None
    assert broker.states(id_) == {"waiting": 1}
    assert not list(lake.folder.rglob("*"))

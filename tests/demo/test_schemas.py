"""A topic with a schema takes what fits it, in its encoding, and nothing else."""

from collections.abc import Callable

import pytest

from emulator.messages.broker import Broker
from emulator.messages.publishing import Draft, PublishError
from emulator.messages.schemas import decode, encode
from sandbox.world import World
from tests.demo.worlds import add_schema, add_subscription

Open = Callable[[], Broker]
AVRO = """{"type": "record", "name": "Review", "fields": [
  {"name": "id", "type": "string"}, {"name": "stars", "type": ["null", "int"], "default": null}]}"""
PROTOBUF = """syntax = "proto3";
message Review {
  message Tag { string name = 1; }
  string id = 1; int32 stars = 2; repeated Tag tags = 3;
}
"""
RECORD = {"id": "1", "stars": 5}


@pytest.mark.parametrize("encoding", ["JSON", "BINARY"])
@pytest.mark.parametrize(("type_", "definition"), [("AVRO", AVRO), ("PROTOCOL_BUFFER", PROTOBUF)])
def test_what_fits_is_published_with_the_schema_in_its_attributes(
    world: World, open_broker: Open, type_: str, definition: str, encoding: str
) -> None:
    topic = add_schema(world, definition, type_, encoding)
    pull = add_subscription(world, "typed-pull", topic)
    broker = open_broker()
    schema = broker.pipes.topics[topic].schema
    assert schema is not None
    record = {"id": "1", "stars": {"int": 5}} if (type_, encoding) == ("AVRO", "JSON") else RECORD
    broker.publish(topic, [Draft(encode(schema, record))])
    (delivery,) = broker.lease(broker.pipes.subscriptions[pull], 1)
    assert decode(schema, delivery.message.data) == RECORD
    assert delivery.message.attributes["googclient_schemaencoding"] == encoding
    assert delivery.message.attributes["googclient_schemaname"] == schema.name


@pytest.mark.parametrize(
    ("type_", "definition", "encoding", "data"),
    [
        ("AVRO", AVRO, "JSON", b"no json"),
        ("AVRO", AVRO, "JSON", b'{"stars": null}'),
        ("AVRO", AVRO, "JSON", b'{"id": 7}'),
        ("AVRO", AVRO, "JSON", b'{"id": "1", "stars": null, "more": 1}'),
        ("AVRO", AVRO, "JSON", b"[]"),
        ("AVRO", AVRO, "BINARY", b"\x08x"),
        ("AVRO", AVRO, "BINARY", b"\x021\x00left"),
        ("PROTOCOL_BUFFER", PROTOBUF, "JSON", b'{"stars": "many"}'),
        ("PROTOCOL_BUFFER", PROTOBUF, "JSON", b'{"more": 1}'),
        ("PROTOCOL_BUFFER", PROTOBUF, "BINARY", b"\x0a\xff"),
        ("PROTOCOL_BUFFER", "message {", "BINARY", b"\x0a\x01x"),
    ],
)
def test_what_does_not_fit_is_refused_and_not_kept(
    world: World, open_broker: Open, type_: str, definition: str, encoding: str, data: bytes
) -> None:
    topic = add_schema(world, definition, type_, encoding)
    pull = add_subscription(world, "typed-pull", topic)
    broker = open_broker()
    with pytest.raises(PublishError, match="doesn't fit projects/acme/schemas/shape"):
        broker.publish(topic, [Draft(data)])
    assert broker.states(pull).total() == 0

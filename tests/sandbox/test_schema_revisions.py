"""A schema gets a revision only where old and new read each other's messages."""

import json
from typing import Any

import pytest

from catalog.schema_revisions import incompatibilities
from sandbox.world import World
from tests.sandbox.client import Client, RefusedError

SCHEMA = "gcp:pubsub/schema:Schema"
TEXT = {"name": "text", "type": "string"}
STARS = {"name": "stars", "type": ["null", "int"], "default": None}


def record(*fields: Any) -> str:
    return json.dumps({"type": "record", "name": "Review", "fields": fields})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (record(TEXT), record(TEXT)),
        (record(TEXT), record(TEXT, STARS)),
        (record(TEXT, STARS), record(TEXT)),
        (record(TEXT), record({"name": "text", "type": "bytes"})),
        (record(STARS), record({**STARS, "type": ["int", "null"]})),
    ],
)
def test_what_has_a_default_comes_and_goes(old: str, new: str) -> None:
    assert incompatibilities("AVRO", old, new) == []


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (record(TEXT), record(TEXT, {"name": "a", "type": "int"}), "field a came without"),
        (record(TEXT, {"name": "a", "type": "int"}), record(TEXT), "field a went without"),
        (record(TEXT), record({"name": "text", "type": "int"}), "text was string and is int"),
        (record(STARS), record({**STARS, "type": ["null", "long"]}), "branch stars.int went"),
        (
            record({"name": "a", "type": {"type": "array", "items": "int"}}),
            record({"name": "a", "type": {"type": "array", "items": "long"}}),
            "a.items was int and is long",
        ),
    ],
)
def test_what_old_and_new_read_differently_is_named(old: str, new: str, why: str) -> None:
    assert incompatibilities("AVRO", old, new)[0].startswith(why)


def test_optional_fields_of_protobuf_come_and_go_and_none_changes() -> None:
    def message(fields: str) -> str:
        return f'syntax = "proto3"; message Review {{ {fields} }}'

    old = message("string text = 1;")
    assert incompatibilities("PROTOCOL_BUFFER", old, message("string text = 1; int32 n = 2;")) == []
    assert incompatibilities("PROTOCOL_BUFFER", old, message("int32 text = 1;"))
    assert incompatibilities(
        "PROTOCOL_BUFFER", old, message("string text = 1; repeated int32 n = 2;")
    )


def test_a_preview_refuses_an_incompatible_revision_and_takes_another(gcp: Client) -> None:
    inputs = {"name": "reviews", "type": "AVRO", "definition": record(TEXT)}
    new = {**inputs, "definition": record({**TEXT, "type": "int"})}
    (failure,) = gcp.checked(SCHEMA, new, olds=inputs)[1]
    assert failure.path == "definition"
    assert failure.reason.startswith("an incompatible revision: text was string and is int")
    new = {**inputs, "definition": record(TEXT, STARS)}
    assert gcp.checked(SCHEMA, new, olds=inputs)[1] == []


def test_a_schema_has_twenty_revisions_until_somebody_deletes_some(
    gcp: Client, world: World
) -> None:
    gcp.enable("pubsub")

    def with_fields(count: int) -> dict[str, Any]:
        fields = [{**STARS, "name": f"stars{number}"} for number in range(count)]
        return {"name": "reviews", "type": "AVRO", "definition": record(TEXT, *fields)}

    id_, state = gcp.create(SCHEMA, with_fields(1))
    for count in range(2, 21):
        state = gcp.update(SCHEMA, id_, state, with_fields(count))
    gcp.update(SCHEMA, id_, state, with_fields(20))
    with pytest.raises(RefusedError, match=r"20 revisions, allowed: 20\. Delete old ones: `gcloud"):
        gcp.update(SCHEMA, id_, state, with_fields(21))
    gcp.delete(SCHEMA, id_, state)
    assert world.count() == 1

"""The demo's messages fit the stack: attributes for its filters, texts no schema lets through."""

import pytest
from hypothesis import assume, given

from catalog.message_filter import LONGEST_BYTES, parse_filter
from emulator.demo.attributes import let_through_and_held_back
from emulator.demo.pipelines import sample_messages
from emulator.messages.resources import MessageSchema
from emulator.messages.schemas import SchemaError, decode, field_names
from tests.demo.test_filters import FILTERS

PROTO3 = 'syntax = "proto3"; message Review { string id = 1; string text = 2; }'
AVRO = """{"type": "record", "name": "Review", "fields": [
  {"name": "id", "type": "string"}, {"name": "text", "type": "string"}]}"""


@pytest.mark.parametrize(
    ("text", "through", "held"),
    [
        ("", {}, None),
        ('attributes.lang = "en"', {"lang": "en"}, {}),
        ('attributes.lang = "en" AND NOT attributes:draft', {"lang": "en"}, {}),
        ('NOT hasPrefix(attributes.id, "test-")', {}, {"id": "test-"}),
        ('attributes.a = "1" AND attributes.a = "2"', None, {}),
        ('attributes."a b" != "x"', {}, {"a b": "x"}),
    ],
)
def test_attributes_are_found_for_a_filter(
    text: str, through: dict[str, str] | None, held: dict[str, str] | None
) -> None:
    assert let_through_and_held_back(text) == (through, held)


@given(FILTERS)
def test_found_attributes_are_judged_as_the_filter_does(case: tuple[str, list[bool]]) -> None:
    text, _ = case
    assume(len(text.encode()) <= LONGEST_BYTES)
    through, held = let_through_and_held_back(text)
    assert through is not None or held is not None
    assert through is None or parse_filter(text)(through)
    assert held is None or not parse_filter(text)(held)


@pytest.mark.parametrize(
    ("type_", "definition", "names"),
    [
        ("AVRO", AVRO, {"id", "text"}),
        ("PROTOCOL_BUFFER", PROTO3, {"id", "text"}),
        ("AVRO", AVRO.replace('{"name": "id", "type": "string"}, ', ""), {"text"}),
        ("PROTOCOL_BUFFER", PROTO3.replace("string id = 1; ", ""), {"text"}),
    ],
)
def test_messages_have_the_fields_of_their_topics_schema(
    type_: str, definition: str, names: set[str]
) -> None:
    assert field_names(MessageSchema("shape", type_, definition, "JSON", "1")) == names


@pytest.mark.parametrize("encoding", ["JSON", "BINARY"])
@pytest.mark.parametrize(("type_", "definition"), [("AVRO", AVRO), ("PROTOCOL_BUFFER", PROTO3)])
def test_misfits_fit_no_schema_of_a_review(type_: str, definition: str, encoding: str) -> None:
    schema = MessageSchema("shape", type_, definition, encoding, "1")
    for text in sample_messages()["sentiment_analyzer"]["misfits"]:
        with pytest.raises(SchemaError):
            decode(schema, text.encode())

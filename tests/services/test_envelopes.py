import base64
import io
import json
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.errors import ServiceError
from services.sentiment_analyzer.envelope import parse_envelope
from services.sentiment_analyzer.payload import AVRO_SCHEMA, ENCODING, Review, parse_payload
from tests.services.deliveries import acknowledged

MOST = 1000
JSON = {"content-type": "application/json"}

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def read(body: bytes, headers: dict[str, str]) -> Review:
    message = parse_envelope(body, headers).message
    return parse_payload(message.data(), message.attributes, MOST)


@given(st.binary(), st.sampled_from(["application/json", "Application/JSON; charset=utf-8", "a/b"]))
def test_any_body_is_read_or_refused_for_good(body: bytes, content_type: str) -> None:
    with pytest.raises(ServiceError) as refused:
        read(body, {"content-type": content_type})
    assert 400 <= refused.value.status < 500
    assert not acknowledged(refused.value.status)


@given(st.fixed_dictionaries({}, optional={"message": values, "subscription": values}))
def test_any_json_is_read_or_refused_for_good(delivery: dict[str, Any]) -> None:
    with pytest.raises(ServiceError) as refused:
        read(json.dumps(delivery).encode(), JSON)
    assert 400 <= refused.value.status < 500


@given(st.binary(max_size=200), st.sampled_from(["JSON", "BINARY", "json", "PROTO", None]))
def test_any_data_is_a_review_or_refused_for_good(data: bytes, encoding: str | None) -> None:
    attributes = {} if encoding is None else {ENCODING: encoding}
    delivery = {
        "message": {
            "messageId": "1",
            "data": base64.b64encode(data).decode(),
            "attributes": attributes,
        }
    }
    try:
        review = read(json.dumps(delivery).encode(), JSON)
    except ServiceError as refused:
        assert refused.status == 422
    else:
        assert 0 < len(review.text) <= MOST
        review.text.encode()


@given(texts, texts, st.booleans())
def test_what_was_published_is_what_is_read(name: str, text: str, snake: bool) -> None:
    stream = io.BytesIO()
    record = {"id": name, "text": text}
    fastavro.schemaless_writer(stream, AVRO_SCHEMA, record)
    for data, encoding in ((stream.getvalue(), "BINARY"), (json.dumps(record).encode(), "JSON")):
        key = "message_id" if snake else "messageId"
        message = {
            key: "1",
            "data": base64.b64encode(data).decode(),
            "attributes": {ENCODING: encoding},
        }
        body = json.dumps({"message": message, "unknown": [1]}).encode()
        assert read(body, JSON) == Review(id=name, text=text)
        unwrapped = {"x-goog-pubsub-message-id": "1", ENCODING: encoding}
        assert read(data, unwrapped) == Review(id=name, text=text)


@given(texts.filter(lambda text: text.strip() and not text.lstrip().startswith("{")))
def test_plain_text_is_its_own_review(text: str) -> None:
    assert parse_payload(text.encode(), {}, MOST).text == text

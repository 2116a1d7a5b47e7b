"""The declared input of the sentiment analyzer is what its code reads."""

from typing import Any, cast

from config.checks.service_input import input_of
from services.sentiment_analyzer.payload import AVRO_SCHEMA, Review


def test_declared_fields_are_those_of_the_code() -> None:
    declared = input_of("sentiment-analyzer")
    assert declared["fields"] == [*Review.model_fields]
    needed = [name for name, field in Review.model_fields.items() if field.is_required()]
    assert declared["needed"] == needed
    shape = cast("dict[str, Any]", AVRO_SCHEMA)
    assert [(field["name"], field["type"]) for field in shape["fields"]] == [
        (name, "string") for name in declared["fields"]
    ]


def test_images_of_others_declare_nothing() -> None:
    assert input_of("sentiment") == input_of("..") == input_of("llm-backend") == {}

"""The topic's schema lets through what a service of ours reads."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final, cast

from catalog import strict_yaml
from catalog.message_schema import DefinitionError, check_definition, columns_of
from catalog.problems import KeyPath, Problem, shown
from config.checks.service_output import SERVICES
from config.pipelines import MessageSchema, Pipeline

Input = Mapping[str, str | list[str]]

# How a plain string is in each language: a union's value would come in a mapping.
_STRING_MODES: Final[Mapping[str, tuple[str, ...]]] = {
    "avro": ("REQUIRED",),
    "protobuf": ("NULLABLE", "REQUIRED"),
}


def check_input(path: KeyPath, pipeline: Pipeline) -> Iterator[Problem]:
    """Check that the service takes every message of the schema.

    Silent about images that are not of a service in `services/`, or that declares no input.
    """
    schema, read = pipeline.message_schema, input_of(pipeline.image_name)
    if schema is None or not read:
        return
    image, where = shown(pipeline.image_name), (*path, "message_schema")
    if schema.encoding == "binary" and schema.type != read["binary"]:
        yield Problem(
            (*where, "encoding"),
            f"'binary' with type {schema.type}",
            f"json, or type {read['binary']}: of binary messages the image {image} reads that",
            "change one of them",
        )
        return
    if problem := _misfit(schema, read):
        yield Problem(
            (*where, "definition"),
            problem,
            f"fields {', '.join(read['fields'])}, plain strings, {', '.join(read['needed'])} among"
            f" them, and all in this order if binary: those the image {image} reads",
            "change the schema or the image",
        )


def _misfit(schema: MessageSchema, read: Input) -> str | None:
    """Return what is wrong with the fields of a schema; None where nothing is."""
    try:
        check_definition(schema.type, schema.definition)
    except DefinitionError:
        # The schema's own check tells.
        return None
    try:
        columns = columns_of(schema.type, schema.definition)
    except DefinitionError as problem:
        return str(problem)
    for name, kind, mode in columns:
        if name not in read["fields"] or kind != "STRING" or mode not in _STRING_MODES[schema.type]:
            return f"a field {shown(name)} ({mode} {kind})"
    names = [name for name, _, _ in columns]
    if schema.encoding == "binary" and names != read["fields"]:
        return f"the fields {', '.join(names)} in binary"
    missing = [name for name in read["needed"] if name not in names]
    return f"no field {shown(missing[0])}" if missing else None


@cache
def input_of(image_name: str) -> Input:
    """Return what a service reads; empty for an image that is not ours or says nothing about it."""
    file = SERVICES / image_name.replace("-", "_") / "input.yaml"
    if "." in image_name or not file.is_file():
        return {}
    return cast("Input", strict_yaml.load(file.read_text()))

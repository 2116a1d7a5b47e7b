"""Every type and property a rule reads is one that the SDKs know."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest
from pulumi_policy.proxy import UnknownValueError

from policies.engine.config import effective
from policies.shared.limits import Limits
from policies.shared.rule import ResourceRule
from resources.properties import is_mapping, is_sequence
from resources.resource import Resource
from sandbox.sdk_shapes import AnyOf, ListOf, MapOf, ObjectOf, Scalar, Shape
from sandbox.sdk_types import resource_type
from tests.policies.cases import CASES
from tests.policies.harness import RULES

RULE_FILES = sorted((Path(__file__).resolve().parents[2] / "policies").rglob("*.py"))
TOKEN = re.compile(r"(?:gcp:[A-Za-z0-9]+/|kubernetes:)[\w./-]+:[A-Za-z0-9]+")
# Kinds of custom resource definitions, which no SDK has.
CUSTOM = re.compile(
    r"kubernetes:(cloud\.google|gateway\.networking|leaderworkerset\.x|keda)[\w.-]*/\w+:\w+"
)


class Reading(Mapping[str, Any]):
    """Properties that note what is asked of them."""

    def __init__(self, value: Mapping[str, Any], path: tuple[str, ...], read: set[Any]) -> None:
        self._value, self._path, self._read = value, path, read

    def __getitem__(self, name: str) -> Any:
        self._read.add((*self._path, name))
        return _reading(self._value[name], (*self._path, name), self._read)

    def __iter__(self) -> Iterator[str]:
        return iter(self._value)

    def __len__(self) -> int:
        return len(self._value)


class ReadingList(Sequence[Any]):
    """A list of such properties; its elements have the path of the list."""

    def __init__(self, value: Sequence[Any], path: tuple[str, ...], read: set[Any]) -> None:
        self._value, self._path, self._read = value, path, read

    def __getitem__(self, index: Any) -> Any:
        return _reading(self._value[index], self._path, self._read)

    def __len__(self) -> int:
        return len(self._value)


def _reading(value: Any, path: tuple[str, ...], read: set[Any]) -> Any:
    if is_mapping(value):
        return Reading(cast("Mapping[str, Any]", value), path, read)
    return ReadingList(cast("Sequence[Any]", value), path, read) if is_sequence(value) else value


def known(shape: Shape | None, path: tuple[str, ...]) -> bool:
    """Return whether the shape has a property at the path."""
    if shape is None:
        return False
    if not path or (isinstance(shape, Scalar) and shape.kind == "any") or isinstance(shape, MapOf):
        return True
    if isinstance(shape, ListOf):
        return known(shape.item, path)
    if isinstance(shape, AnyOf):
        return any(known(option, path) for option in shape.options)
    if not isinstance(shape, ObjectOf):
        return False
    found = shape.properties.get(path[0])
    return known(found.shape if found else None, path[1:])


def unknown_paths(token: str, read: set[tuple[str, ...]]) -> list[str]:
    found = resource_type(token)
    assert found is not None
    shapes = {
        **{name: each.shape for name, each in found.outputs.items()},
        **{name: each.shape for name, each in found.inputs.items()},
    }
    return sorted(".".join(path) for path in read if not known(shapes.get(path[0]), path[1:]))


# These ask every type for what only some have.
READS_MANY_TYPES = {
    "cost-monthly-ceiling": "prices ask every type",
    "cost-types-priced": "prices ask every type",
    "cost-labels": "labels have several names",
    "data-residency": "places have several names",
    "pod-isolation": "requests of devices stand in two places, by version",
    "scale-cloudrun-max-instances": "services of version 1 have annotations, jobs have tasks",
    "scale-cloudrun-worker-max": "as services",
    "scale-cloudrun-concurrency": "counts GPUs as services do",
    "scale-deploy-replicas": "requests of devices stand in two places, by version",
    "scale-gpu-types-allowed": "counts GPUs as services do",
    "scale-pubsub-retention": "topics cannot keep acknowledged messages",
}


def examples(rule: str) -> Iterator[tuple[tuple[dict[str, Any], ...], Limits]]:
    for case in (each for each in CASES if each.rule == rule):
        yield case.resources, Limits(effective([RULES[rule]], {rule: case.limits})[rule])


def test_every_type_a_rule_names_is_in_the_sdk() -> None:
    tokens = {token for file in RULE_FILES for token in TOKEN.findall(file.read_text())}
    assert len(tokens) > 60
    assert [t for t in sorted(tokens) if not CUSTOM.fullmatch(t) and resource_type(t) is None] == []


@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_property_a_rule_reads_is_in_the_sdk(rule: str) -> None:
    for rows, limits in examples(rule):
        read: dict[str, set[Any]] = {row["type"]: set() for row in rows}
        resources = [
            Resource(row["type"], "it", "urn", Reading(row["props"], (), read[row["type"]]))
            for row in rows
        ]
        asked = RULES[rule]
        if not isinstance(asked, ResourceRule):
            list(asked.check(resources, limits))
        elif asked.applies(resources[0].type):
            with suppress(UnknownValueError):  # a policy document that the engine speaks of
                list(asked.check(resources[0], limits))
        for token, paths in read.items():
            if resource_type(token) and rule not in READS_MANY_TYPES:
                assert unknown_paths(token, paths) == [], token

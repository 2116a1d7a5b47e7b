"""Checks input properties against the SDK's own types, and reports every failure at once."""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.sdk_shapes import AnyOf, ListOf, MapOf, ObjectOf, Property, Scalar, Shape
from sandbox.values import INTERNAL, Asset, Secret, Unknown, Value, Values, is_list, is_map

_BOOLEANS: Final = frozenset({"true", "false"})
_SHOWN: Final = 60
# Kubernetes quantities may be numbers wherever the SDK says text.
_QUANTITIES: Final = re.compile(r"\b(limits|requests|hard|capacity|sizeLimit|divisor)\b")


@dataclass(frozen=True)
class Failure:
    """One wrong property: `path` such as `nodeConfig.disks[0].sizeGb`, and the reason."""

    path: str
    reason: str


@dataclass(frozen=True)
class Checker:
    """Checks values of one type.

    `lenient` accepts text for numbers and booleans and the reverse, as the Google Cloud provider
    does; a Kubernetes API server does not.
    """

    token: str
    lenient: bool

    def check(self, inputs: Values, properties: Mapping[str, Property]) -> list[Failure]:
        """Return every failure of a resource's inputs; empty when they are fine."""
        return list(self._object("", inputs, properties))

    def _object(
        self, path: str, value: Values, properties: Mapping[str, Property]
    ) -> Iterator[Failure]:
        for name, item in value.items():
            if name in INTERNAL or item is None:
                continue
            if name in properties:
                yield from self._value(_joined(path, name), item, properties[name].shape)
            else:
                yield Failure(_joined(path, name), self._unknown(name, properties))
        for prop in properties.values():
            if prop.required and value.get(prop.name) is None:
                yield Failure(
                    _joined(path, prop.name),
                    f"missing required property '{_joined(path, prop.name)}' of {self.token}",
                )

    def _unknown(self, name: str, properties: Mapping[str, Property]) -> str:
        close = difflib.get_close_matches(name, properties, n=1)
        hint = (
            f"did you mean '{close[0]}'?"
            if close
            else f"allowed: {', '.join(sorted(properties)) or 'none'}"
        )
        return f"unknown property '{name}' for {self.token}; {hint}"

    def _value(self, path: str, value: Value, shape: Shape) -> Iterator[Failure]:
        if isinstance(value, Secret):
            yield from self._value(path, value.value, shape)
        elif isinstance(value, Unknown) or value is None:
            return
        elif isinstance(shape, AnyOf):
            results = [list(self._value(path, value, option)) for option in shape.options]
            if all(results):
                yield from min(results, key=len)
        elif isinstance(shape, Scalar):
            lenient = self.lenient or bool(_QUANTITIES.search(path))
            if not _scalar_fits(value, shape, lenient):
                yield self._wrong(path, value, _expected(shape))
        elif isinstance(shape, ListOf):
            if is_list(value):
                for index, item in enumerate(value):
                    yield from self._value(f"{path}[{index}]", item, shape.item)
            else:
                yield self._wrong(path, value, "a list")
        else:
            yield from self._mapping(path, value, shape)

    def _mapping(self, path: str, value: Value, shape: MapOf | ObjectOf) -> Iterator[Failure]:
        if not is_map(value):
            yield self._wrong(path, value, "an object")
        elif isinstance(shape, ObjectOf):
            yield from self._object(path, value, shape.properties)
        else:
            for name, item in value.items():
                if name not in INTERNAL:
                    yield from self._value(_joined(path, name), item, shape.value)

    def _wrong(self, path: str, value: Value, expected: str) -> Failure:
        shown = repr(value)
        shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
        return Failure(
            path, f"wrong type of '{path}' for {self.token}: found {shown}, allowed: {expected}"
        )


def _scalar_fits(value: Value, shape: Scalar, lenient: bool) -> bool:
    if shape.kind == "any":
        return True
    if shape.kind == "asset":
        return isinstance(value, Asset)
    if isinstance(value, Asset) or is_list(value) or is_map(value):
        return False
    if shape.allowed:
        return str(value) in shape.allowed
    return _is_kind(value, shape.kind) or (lenient and _reads_as(value, shape.kind))


def _is_kind(value: Any, kind: str) -> bool:
    match kind:
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case _:
            return isinstance(value, int | float) and not isinstance(value, bool)


def _reads_as(value: Any, kind: str) -> bool:
    if kind == "string":
        return True
    text = str(value)
    if kind == "boolean":
        return text.lower() in _BOOLEANS
    if isinstance(value, bool):
        return False
    try:
        number = float(text)
    except ValueError:
        return False
    return kind == "number" or number.is_integer()


def _joined(path: str, name: str) -> str:
    if "." in name:
        return f'{path}["{name}"]'
    return f"{path}.{name}" if path else name


def _expected(shape: Scalar) -> str:
    article = "an" if shape.kind[0] in "aeiou" else "a"
    return ", ".join(shape.allowed) or f"{article} {shape.kind}"

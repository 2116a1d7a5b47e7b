# ruff: noqa: SLF001, PLC2701
"""The shapes of property types, read from the generated classes of the Pulumi SDKs.

The one place that touches private helpers of the pinned `pulumi` package (`pulumi._types`).
"""

import enum
import inspect
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import Any, Final, ForwardRef, Literal, Union

import pulumi
from pulumi import _types


@dataclass(frozen=True)
class Scalar:
    """string, integer, number, boolean, asset or any; `allowed` non-empty for a closed set."""

    kind: str
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True)
class ListOf:
    """A list of one type."""

    item: "Shape"


@dataclass(frozen=True)
class MapOf:
    """A map from strings to one type."""

    value: "Shape"


@dataclass(frozen=True)
class AnyOf:
    """A value of one of several types."""

    options: tuple["Shape", ...]


@dataclass(frozen=True)
class ObjectOf:
    """A nested object with known properties."""

    cls: type

    @property
    def properties(self) -> Mapping[str, "Property"]:
        """Property name -> its type, and whether it must be given."""
        return properties(self.cls)


Shape = Scalar | ListOf | MapOf | AnyOf | ObjectOf
ANY: Final = Scalar("any")
_SCALARS: Final[dict[Any, Scalar]] = {
    str: Scalar("string"),
    bool: Scalar("boolean"),
    int: Scalar("integer"),
    float: Scalar("number"),
    Any: ANY,
    object: ANY,
}


@dataclass(frozen=True)
class Property:
    """One input property."""

    name: str
    shape: Shape
    required: bool


@dataclass(frozen=True)
class Output:
    """One output property; `computed` when the cloud always answers it."""

    name: str
    shape: Shape
    computed: bool


def _optional(getter: Any) -> bool:
    hint = getter.__annotations__.get("return")
    text = hint if isinstance(hint, str) else None
    if text is not None:
        return "Optional[" in text
    arguments = typing.get_args(hint)
    return bool(arguments) and (
        type(None) in typing.get_args(arguments[0])
        or _forward(arguments[0]).startswith("Optional[")
    )


def _forward(hint: Any) -> str:
    return hint.__forward_arg__ if isinstance(hint, ForwardRef) else ""


def describe(hint: Any) -> Shape:
    """Return the shape of a type hint of a generated SDK, `Input`, `Output` and `Optional` taken
    off."""
    if hint in _SCALARS:
        return _SCALARS[hint]
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, UnionType):
        return _describe_union(arguments)
    if origin is Literal:
        return Scalar("string", tuple(str(argument) for argument in arguments))
    if origin is pulumi.Output:
        return describe(arguments[0])
    if isinstance(origin, type):
        return _describe_generic(origin, arguments)
    return _describe_class(hint) if isinstance(hint, type) else ANY


def _describe_generic(origin: type, arguments: tuple[Any, ...]) -> Shape:
    if issubclass(origin, Mapping):
        return MapOf(describe(arguments[1]))
    if issubclass(origin, Sequence):
        return ListOf(describe(arguments[0]))
    return ANY


def _describe_class(cls: type) -> Shape:
    if _types.is_input_type(cls) or _types.is_output_type(cls):
        return ObjectOf(cls)
    if issubclass(cls, enum.Enum):
        return Scalar("string", tuple(str(member.value) for member in cls))
    if issubclass(cls, pulumi.Asset | pulumi.Archive):
        return Scalar("asset")
    if issubclass(cls, Mapping):
        return MapOf(ANY)
    return ANY


def _describe_union(members: tuple[Any, ...]) -> Shape:
    kept = [member for member in members if not _wrapper(member)]
    inputs = [m for m in kept if isinstance(m, type) and _types.is_input_type(m)]
    classes = inputs or [m for m in kept if isinstance(m, type) and _types.is_output_type(m)]
    if classes:  # the mappings and TypedDicts beside it are other spellings of the same object
        return ObjectOf(classes[0])
    options = tuple(dict.fromkeys(describe(member) for member in kept))
    if ANY in options or not options:
        return ANY
    open_kinds = {o.kind for o in options if isinstance(o, Scalar) and not o.allowed}
    options = tuple(
        o for o in options if not (isinstance(o, Scalar) and o.allowed and o.kind in open_kinds)
    )
    return options[0] if len(options) == 1 else AnyOf(options)


def _wrapper(member: Any) -> bool:
    """Return the parts of `Input[T]` that say nothing about T."""
    origin = typing.get_origin(member)
    return (
        member is type(None)
        or isinstance(member, ForwardRef)
        or origin is pulumi.Output
        or (isinstance(origin, type) and origin.__name__ == "Awaitable")
        or typing.is_typeddict(member)
    )


@cache
def properties(cls: type) -> Mapping[str, Property]:
    """Return properties of an Args class or of an output type used as an input."""
    parameters = inspect.signature(cls.__init__).parameters
    shapes = _hints(cls)
    return {
        pulumi_name: Property(
            pulumi_name,
            shapes.get(pulumi_name, ANY),
            python_name in parameters
            and parameters[python_name].default is inspect.Parameter.empty,
        )
        for python_name, pulumi_name, _ in _types._py_properties(cls)
    }


def _hints(cls: type) -> dict[str, Shape]:
    namespace = {"Output": pulumi.Output, "T": type(None)}
    module_globals = _types._globals_for_cls(cls)
    return {
        name: describe(
            typing.get_type_hints(getter.fget, globalns=module_globals, localns=namespace).get(
                "return", Any
            )
        )
        for _, name, getter in _types._py_properties(cls)
    }


def getters(cls: type) -> Iterator[tuple[str, str, Any]]:
    """Yield Python name, Pulumi name and getter function of every property of a generated class."""
    for python_name, pulumi_name, getter in _types._py_properties(cls):
        yield python_name, pulumi_name, getter.fget


@cache
def documentation(cls: type) -> Mapping[str, str]:
    """Return the documentation of each property of a generated class."""
    return {name: getter.__doc__ or "" for _, name, getter in getters(cls)}


def resource_outputs(cls: type) -> Mapping[str, Output]:
    """Return output properties of a resource class."""
    shapes = {name: describe(hint) for name, hint in _types.resource_types(cls).items()}
    return {
        name: Output(name, shapes.get(name, ANY), not _optional(getter))
        for _, name, getter in getters(cls)
        if name not in {"id", "urn"}
    }


def result_outputs(cls: type) -> Mapping[str, Output]:
    """Return properties of a function's result class."""
    shapes = _types.output_type_types(cls)
    return {name: Output(name, describe(hint), True) for name, hint in shapes.items()}

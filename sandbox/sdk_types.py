"""What the installed Pulumi SDKs know about every type: inputs, outputs, ids, immutable fields.

The one place that touches private helpers of the pinned `pulumi` package (`pulumi._types`) and the
generated layout of `pulumi_gcp` and `pulumi_kubernetes`. Modules are imported only when one of
their types is asked for; every answer is cached.
"""

import enum
import importlib
import importlib.util
import inspect
import json
import re
import sys
import threading
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from types import ModuleType, UnionType
from typing import Any, Final, ForwardRef, Literal, Union, cast

import pulumi
from pulumi import _types  # pyright: ignore[reportPrivateUsage] -- wrapped here on purpose

_PACKAGES: Final = {"gcp": "pulumi_gcp", "kubernetes": "pulumi_kubernetes"}
_IMPORTS = threading.RLock()
_REGISTRY: Final = re.compile(r'resource_modules="""(.*?)"""', re.DOTALL)
_SECRET_OUTPUTS: Final = re.compile(r"additional_secret_outputs=\[(.*?)\]")
_FORMAT: Final = re.compile(r"^\s*\* `?\"?([^\s`\"]*\{\{[^`\"\s]*)", re.MULTILINE)
_IMMUTABLE: Final = re.compile(
    r"(changing (this|it|the value)[^.]{0,80}(forces|forces the creation|recreat|creates a new)"
    r"|\bimmutable\b|cannot be (changed|updated|modified)|forces? (a )?(new resource|replacement))",
    re.IGNORECASE,
)
_NOT_IMMUTABLE: Final = re.compile(r"not immutable|can be (changed|updated)", re.IGNORECASE)
_DEFAULT: Final = re.compile(
    r"defaults? (?:value )?(?:is|to|are)(?: set to)? [`'\"]*([\w./-]*\w)[`'\"]*", re.IGNORECASE
)


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
        return _properties(self.cls)


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


@dataclass(frozen=True)
class ResourceType:
    """A resource type of an SDK."""

    token: str
    cls: type

    @property
    def module(self) -> str:
        """The middle of the token: `compute` of `gcp:compute/address:Address`."""
        return self.token.split(":")[1].split("/")[0]

    @cached_property
    def _args(self) -> type | None:
        module = sys.modules[self.cls.__module__]
        for name in (f"{self.cls.__name__}InitArgs", f"{self.cls.__name__}Args"):
            found = getattr(module, name, None)
            if found is not None and found.__module__ == module.__name__:
                return found
        return None

    @cached_property
    def inputs(self) -> Mapping[str, Property]:
        """Input property name -> its type, and whether it must be given."""
        return {} if self._args is None else _properties(self._args)

    @cached_property
    def outputs(self) -> Mapping[str, Output]:
        """Output property name -> its type, and whether the cloud always answers it."""
        shapes = {name: describe(hint) for name, hint in _types.resource_types(self.cls).items()}
        return {
            pulumi_name: Output(
                pulumi_name, shapes.get(pulumi_name, ANY), not _optional(getter.fget)
            )
            for _, pulumi_name, getter in _types._py_properties(self.cls)  # pyright: ignore[reportPrivateUsage] -- wrapped here on purpose
            if pulumi_name not in {"id", "urn"}
        }

    @cached_property
    def documentation(self) -> str:
        """The docstring of the constructor, which holds the import formats."""
        overloads = typing.get_overloads(self.cls.__init__)
        texts = [overload.__doc__ or "" for overload in overloads]
        return "\n".join([self.cls.__doc__ or "", *texts])

    @cached_property
    def import_formats(self) -> tuple[str, ...]:
        """Id formats such as `projects/{{project}}/global/networks/{{name}}`, canonical first."""
        return tuple(dict.fromkeys(_FORMAT.findall(self.documentation)))

    @cached_property
    def secret_outputs(self) -> frozenset[str]:
        """Outputs the SDK itself declares secret."""
        source = inspect.getsource(cast("Any", self.cls)._internal_init)
        found = _SECRET_OUTPUTS.search(source)
        return frozenset(re.findall(r'"(\w+)"', found.group(1))) if found else frozenset()

    @cached_property
    def input_documentation(self) -> Mapping[str, str]:
        """Input property name -> its documentation."""
        if self._args is None:
            return {}
        return {
            name: getter.fget.__doc__ or ""
            for _, name, getter in _types._py_properties(self._args)  # pyright: ignore[reportPrivateUsage] -- wrapped here on purpose
        }

    @cached_property
    def documented_immutable(self) -> frozenset[str]:
        """Inputs whose documentation says that a change makes a new resource."""
        return frozenset(
            name
            for name, text in self.input_documentation.items()
            if _IMMUTABLE.search(text) and not _NOT_IMMUTABLE.search(text)
        )

    def documented_default(self, name: str) -> Any:
        """The default the documentation gives for a scalar input, or None."""
        prop, text = self.inputs.get(name), self.input_documentation.get(name, "")
        found = _DEFAULT.search(text)
        if prop is None or found is None or not isinstance(prop.shape, Scalar):
            return None
        return _scalar(found.group(1), prop.shape.kind)


@dataclass(frozen=True)
class FunctionType:
    """A function (data source) of an SDK."""

    token: str
    result: type | None

    @cached_property
    def outputs(self) -> Mapping[str, Output]:
        """Result property name -> its type."""
        if self.result is None:
            return {}
        shapes = _types.output_type_types(self.result)
        return {name: Output(name, describe(hint), True) for name, hint in shapes.items()}


def _scalar(text: str, kind: str) -> Any:
    match kind:
        case "boolean" if text.lower() in {"true", "false"}:
            return text.lower() == "true"
        case "integer" if text.isdigit():
            return int(text)
        case "string" if text.isupper():
            return text
        case _:
            return None


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
    """The shape of a type hint of a generated SDK, `Input`, `Output` and `Optional` taken off."""
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
    """The parts of `Input[T]` that say nothing about T."""
    origin = typing.get_origin(member)
    return (
        member is type(None)
        or isinstance(member, ForwardRef)
        or origin is pulumi.Output
        or (isinstance(origin, type) and origin.__name__ == "Awaitable")
        or typing.is_typeddict(member)
    )


@cache
def _properties(cls: type) -> Mapping[str, Property]:
    """Properties of an Args class or of an output type used as an input."""
    parameters = inspect.signature(cls.__init__).parameters
    shapes = _hints(cls)
    return {
        pulumi_name: Property(
            pulumi_name,
            shapes.get(pulumi_name, ANY),
            python_name in parameters
            and parameters[python_name].default is inspect.Parameter.empty,
        )
        for python_name, pulumi_name, _ in _types._py_properties(cls)  # pyright: ignore[reportPrivateUsage] -- wrapped here on purpose
    }


def _hints(cls: type) -> dict[str, Shape]:
    namespace = {"Output": pulumi.Output, "T": type(None)}
    module_globals = _types._globals_for_cls(cls)  # pyright: ignore[reportPrivateUsage] -- wrapped here on purpose
    return {
        name: describe(
            typing.get_type_hints(getter.fget, globalns=module_globals, localns=namespace).get(
                "return", Any
            )
        )
        for _, name, getter in _types._py_properties(cls)  # pyright: ignore[reportPrivateUsage] -- wrapped here on purpose
    }


@cache
def _registry(package: str) -> dict[str, tuple[str, str]]:
    """Type token -> (module, class name), from the registration text of the package."""
    found = importlib.util.find_spec(_PACKAGES[package])
    if found is None or found.origin is None:
        return {}
    text = _REGISTRY.search(Path(found.origin).read_text(encoding="utf-8"))
    modules: list[dict[str, Any]] = json.loads(text.group(1)) if text else []
    return {
        token: (module["fqn"], class_name)
        for module in modules
        for token, class_name in module["classes"].items()
    }


def tokens(package: str) -> tuple[str, ...]:
    """Every resource type token of a package (`gcp` or `kubernetes`)."""
    return tuple(_registry(package))


def _module(name: str) -> ModuleType:
    with _IMPORTS:  # generated packages import each other in circles
        return importlib.import_module(name)


@cache
def resource_type(token: str) -> ResourceType | None:
    """The type behind a token such as `gcp:compute/address:Address`, or None if there is none."""
    package = token.partition(":")[0]
    if package not in _PACKAGES:
        return None
    entry = _registry(package).get(token)
    if entry is None:
        return None
    with _IMPORTS:
        return ResourceType(token, getattr(_module(entry[0]), entry[1]))


@cache
def provider_inputs(package: str) -> Mapping[str, Property]:
    """The configuration properties of a package's provider."""
    module = _module(f"{_PACKAGES[package]}.provider")
    return _properties(module.ProviderArgs)


@cache
def function_type(token: str) -> FunctionType | None:
    """The function behind a token such as `gcp:compute/getNetwork:getNetwork`, or None."""
    package, middle, name = [*token.split(":"), "", ""][:3]
    if package not in _PACKAGES or not name:
        return None
    path = f"{_PACKAGES[package]}.{middle.split('/')[0].replace('-', '_')}"
    if middle.split("/")[0] in {"index", ""}:
        path = _PACKAGES[package]
    try:
        module = _module(path)
    except ModuleNotFoundError:
        return None
    return FunctionType(token, getattr(module, f"{name[0].upper()}{name[1:]}Result", None))

"""What the installed Pulumi SDKs know about every type: inputs, outputs, ids, immutable fields.

Built on the generated layout of `pulumi_gcp` and `pulumi_kubernetes`. Modules are imported only
when one of their types is asked for; every answer is cached.
"""

import importlib
import importlib.util
import inspect
import json
import re
import sys
import threading
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, Final, cast

from sandbox.sdk_shapes import (
    Output,
    Property,
    Scalar,
    documentation,
    properties,
    resource_outputs,
    result_outputs,
)

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
        return {} if self._args is None else properties(self._args)

    @cached_property
    def outputs(self) -> Mapping[str, Output]:
        """Output property name -> its type, and whether the cloud always answers it."""
        return resource_outputs(self.cls)

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
        source = inspect.getsource(cast("Any", self.cls)._internal_init)  # noqa: SLF001 - has the names
        found = _SECRET_OUTPUTS.search(source)
        return frozenset(re.findall(r'"(\w+)"', found.group(1))) if found else frozenset()

    @cached_property
    def input_documentation(self) -> Mapping[str, str]:
        """Input property name -> its documentation."""
        return {} if self._args is None else documentation(self._args)

    @cached_property
    def documented_immutable(self) -> frozenset[str]:
        """Inputs whose documentation says that a change makes a new resource."""
        return frozenset(
            name
            for name, text in self.input_documentation.items()
            if _IMMUTABLE.search(text) and not _NOT_IMMUTABLE.search(text)
        )

    def documented_default(self, name: str) -> Any:
        """Return the default the documentation gives for a scalar input, or None."""
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
        return {} if self.result is None else result_outputs(self.result)


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
    """Return every resource type token of a package (`gcp` or `kubernetes`)."""
    return tuple(_registry(package))


def _module(name: str) -> ModuleType:
    with _IMPORTS:  # generated packages import each other in circles
        return importlib.import_module(name)


@cache
def resource_type(token: str) -> ResourceType | None:
    """Return the type behind a token such as `gcp:compute/address:Address`, or None if there is
    none."""
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
    """Return the configuration properties of a package's provider."""
    module = _module(f"{_PACKAGES[package]}.provider")
    return properties(module.ProviderArgs)


@cache
def function_type(token: str) -> FunctionType | None:
    """Return the function behind a token such as `gcp:compute/getNetwork:getNetwork`, or None."""
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

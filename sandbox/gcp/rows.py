"""What is known of a type and its service: `sandbox/types/`, explained in its README."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from sandbox.values import Value

_FOLDER: Final = Path(__file__).parents[1] / "types"
_OTHERS: Final = "others"
_GRANT: Final = re.compile(r"(?<=iam)(Member|Binding|Policy|AuditConfig)$", re.IGNORECASE)


@dataclass(frozen=True)
class InUse:
    """What keeps a resource from being deleted."""

    types: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    message: str = ""
    unless: str = ""


@dataclass(frozen=True)
class Row:
    """What is known of a type; `service` is '' where it is that of the module."""

    service: str | None = ""
    id: str = ""
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    upsert: bool = False
    references: Mapping[str, str] = field(default_factory=dict[str, str])
    grants_on: str = ""
    used_by: InUse | None = None
    outputs: Mapping[str, Value] = field(default_factory=dict[str, Value])


@dataclass(frozen=True)
class Service:
    """What is known of a service: its API, its accounts and its types by class."""

    service: str | None = None
    agent: str = ""
    account: str = ""
    name: str = ""
    host: str = ""
    types: Mapping[str, Row] = field(default_factory=dict[str, Row])


def is_grant(token: str) -> bool:
    """Return whether the type grants roles (IAMMember, IamBinding, IAMPolicy...)."""
    return bool(_GRANT.search(token))


def row(token: str) -> Row:
    """Return what is known of a type; an empty row where nothing is."""
    _, middle, name = token.split(":")
    types = service(middle.partition("/")[0]).types
    return types.get(name) or types.get(_GRANT.sub("", name)) or Row()


def name_patterns(token: str) -> Mapping[str, str]:
    """Return the patterns of the names that the API takes, by property."""
    name = service(token.split(":")[1].partition("/")[0]).name
    common = {"name": name} if name and not is_grant(token) else {}
    return {**common, **row(token).names}


@cache
def service(module: str) -> Service:
    """Return what is known of the service behind a module of the SDK, with its types."""
    path = _FOLDER / f"{module}.yaml"
    found = _loaded(path) if path.exists() else dict(_others().get(module, {}))
    types = {name: _row(columns) for name, columns in found.pop("types", {}).items()}
    return Service(**found, types=types)


@cache
def services() -> Mapping[str, Service]:
    """Return every service by the module of the SDK."""
    files = {path.stem for path in _FOLDER.glob("*.yaml")} - {_OTHERS}
    return {name: service(name) for name in sorted(files | _others().keys())}


@cache
def grants() -> Mapping[str, tuple[str, str]]:
    """Return the types that grant to members: what they grant on, and the input that names it."""
    return dict(_grants())


def _grants() -> Iterator[tuple[str, tuple[str, str]]]:
    for module, known in services().items():
        for name, columns in known.types.items():
            if name.lower().endswith("iam"):
                prop, target = [("", columns.grants_on), *columns.references.items()][-1]
                for kind in ("Member", "Binding") if target else ():
                    lower = f"{name[0].lower()}{name[1:]}{kind}"
                    yield f"gcp:{module}/{lower}:{name}{kind}", (prop, target)


def _row(columns: dict[str, Any]) -> Row:
    used_by = columns.get("used_by")
    given: dict[str, Any] = {**columns, "used_by": InUse(**used_by) if used_by else None}
    return Row(**given)


@cache
def _others() -> dict[str, Any]:
    return _loaded(_FOLDER / f"{_OTHERS}.yaml")


def _loaded(path: Path) -> dict[str, Any]:
    return yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)

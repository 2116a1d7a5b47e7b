"""What identities must be able to do, and the predefined roles that hold each permission."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, Literal, cast

from catalog.table import read, row, rows

ANY: Final = "any"
"""The component of needs that hold for whoever makes the resource."""


@dataclass(frozen=True)
class Kind:
    """What needs and grants are on. `type` is empty for a project, which no stack makes."""

    grants: str
    by: tuple[str, ...]
    type: str = ""
    name: tuple[str, ...] = ()


@dataclass(frozen=True)
class Need:
    """What one identity must be able to do, in the columns of `needs.yaml`."""

    of: str
    who: str
    may: tuple[str, ...]
    on: str
    at: str = ""
    named: str = ""
    matching: str = ""
    component: str = field(default=ANY, kw_only=True)


@cache
def _file() -> Mapping[str, object]:
    return read("needs.yaml")


@cache
def kinds() -> Mapping[str, Kind]:
    """Return what needs and grants are on, by its name."""
    return rows(Kind, _file(), "kinds")


@cache
def agents() -> Mapping[str, str]:
    """Return the API of each of Google's agents, by the project of its account."""
    return cast("Mapping[str, str]", _file()["agents"])


@cache
def needs() -> tuple[Need, ...]:
    """Return every need."""
    table = cast("Mapping[str, list[dict[str, Any]]]", _file()["needs"])
    return tuple(
        row(Need, f"needs.{component}", {**columns, "component": component})
        for component, found in table.items()
        for columns in found
    )


def needs_of(component: str) -> tuple[Need, ...]:
    """Return the needs of a component's programs."""
    return tuple(each for each in needs() if each.component == component)


@cache
def asked_for(*, by: Literal["component", "name"]) -> Mapping[str, Mapping[str, str]]:
    """Return why a stack's identities are granted what its resources don't need: by component, or
    by what the grant's name holds, and by what it is on."""
    key = "asked_for" if by == "component" else "asked_for_by_name"
    return cast("Mapping[str, Mapping[str, str]]", _file()[key])


@cache
def roles_with(permission: str) -> frozenset[str]:
    """Return the predefined roles that hold a permission, without their `roles/`.

    Raises KeyError for one that the table does not have.
    """
    table = cast("Mapping[str, list[str]]", read("permissions.yaml")["permissions"])
    return frozenset(table[permission])

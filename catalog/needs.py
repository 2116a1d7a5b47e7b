"""What identities must be able to do, and the predefined roles that hold each permission."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, Literal, cast

from catalog.encryption import ENTRY, encrypted
from catalog.table import read, row, rows

_USES_A_KEY: Final = (
    "cloudkms.cryptoKeyVersions.useToDecrypt",
    "cloudkms.cryptoKeyVersions.useToEncrypt",
)
_KEY_REFUSED: Final = (
    "Permission 'cloudkms.cryptoKeyVersions.useToEncrypt' denied on resource '{target}' for "
    "{account}"
)
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
    refused: str = ""
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


def encrypting_services() -> tuple[str, ...]:
    """Return the APIs whose agents encrypt what the platform makes, without their domain."""
    found = {api_of(agent) for row_ in encrypted().values() for agent in row_.agents}
    return tuple(sorted(found))


def api_of(agent: str) -> str:
    """Return the API of one of Google's agents, without its domain."""
    return agents()[agent].partition(".")[0]


@cache
def needs() -> tuple[Need, ...]:
    """Return every need, those of keys of one's own included."""
    table = cast("Mapping[str, list[dict[str, Any]]]", _file()["needs"])
    return (
        *(
            row(Need, f"needs.{component}", {**columns, "component": component})
            for component, found in table.items()
            for columns in found
        ),
        *_needs_of_keys(),
    )


def _needs_of_keys() -> Iterator[Need]:
    for of, row_ in encrypted().items():
        for path in row_.keys:
            for agent in row_.agents:
                named = path.replace(ENTRY, ".*")
                refused = "" if row_.later else _KEY_REFUSED
                yield Need(of, f"agent:{agent}", _USES_A_KEY, "key", named=named, refused=refused)


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
    return frozenset(_holders()[permission])


@cache
def _holders() -> Mapping[str, list[str]]:
    return cast("Mapping[str, list[str]]", read("permissions.yaml")["permissions"])

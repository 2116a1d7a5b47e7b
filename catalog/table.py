"""Rows of a catalog file as frozen dataclasses: unknown columns, gaps, wrong types are errors."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Final, TypeVar, cast, get_args, get_type_hints

from catalog import strict_yaml

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Row = TypeVar("Row", bound="DataclassInstance")


class CatalogError(ValueError):
    """A catalog file that does not have the shape its loader expects."""


def read(file: str) -> Mapping[str, object]:
    """Return the catalog file's top-level mapping. Raises CatalogError when it is not one."""
    try:
        document = strict_yaml.load(
            (Path(__file__).parent / file).read_text(encoding="utf-8"), own=True
        )
    except strict_yaml.YamlError as error:
        raise CatalogError(f"catalog/{file}: {error}") from None
    if not isinstance(document, dict):
        raise CatalogError(f"catalog/{file}: expected a mapping of tables")
    return cast("dict[str, object]", document)


def table(document: Mapping[str, object], name: str) -> Mapping[str, Mapping[str, object]]:
    """Return the table `name`: rows by key. Raises CatalogError when it is missing or not one."""
    found = document.get(name)
    if not isinstance(found, dict):
        raise CatalogError(f"catalog table {name}: expected rows by key, found {found!r}")
    rows = cast("dict[str, object]", found)
    for key, row in rows.items():
        if not isinstance(row, dict):
            raise CatalogError(f"catalog table {name}, row {key}: expected columns, found {row!r}")
    return cast("dict[str, dict[str, object]]", rows)


def row(kind: type[Row], where: str, columns: Mapping[str, object]) -> Row:
    """Return `columns` as a `kind`; `where` names the row in errors.

    Lists become tuples, ISO dates dates and integers floats where the field says so. Raises
    CatalogError for a column the dataclass does not have, a missing one, or a wrong type.
    """
    types = get_type_hints(kind)
    names = {field.name for field in dataclasses.fields(kind)}
    required = {
        field.name
        for field in dataclasses.fields(kind)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    if unknown := sorted(columns.keys() - names):
        raise CatalogError(f"{where}: unknown columns {unknown}; allowed: {sorted(names)}")
    if missing := sorted(required - columns.keys()):
        raise CatalogError(f"{where}: missing columns {missing}")
    return kind(
        **{name: _cell(types[name], f"{where}.{name}", value) for name, value in columns.items()}
    )


def rows(kind: type[Row], document: Mapping[str, object], name: str) -> Mapping[str, Row]:
    """Return the table `name` with each row as a `kind`. Raises CatalogError as `table` and
    `row` do."""
    return {
        key: row(kind, f"{name}.{key}", columns) for key, columns in table(document, name).items()
    }


def _cell(kind: object, where: str, value: object) -> object:
    kinds = get_args(kind) if isinstance(kind, UnionType) else (kind,)
    for each in kinds:
        if each in _READERS and (read_value := _READERS[each](value)) is not None:
            return read_value
    raise CatalogError(f"{where}: found {value!r}, expected {kind}")


def _date(value: object) -> dt.date | None:
    return dt.date.fromisoformat(value) if isinstance(value, str) else None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _integer(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _texts(value: object) -> tuple[str, ...] | None:
    if not isinstance(value, list):
        return None
    items = [item for item in cast("list[object]", value) if isinstance(item, str)]
    return tuple(items) if len(items) == len(cast("list[object]", value)) else None


# How a cell of each type is read; None for a value of another type.
_READERS: Final[Mapping[object, Callable[[object], object | None]]] = {
    str: lambda value: value if isinstance(value, str) else None,
    bool: lambda value: value if isinstance(value, bool) else None,
    int: _integer,
    float: _number,
    dt.date: _date,
    tuple[str, ...]: _texts,
}

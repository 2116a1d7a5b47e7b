"""Columns of a BigQuery table, and which values fit them.

https://cloud.google.com/bigquery/docs/schemas
"""

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from catalog.limits.bigquery import ALIASES

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class RowError(ValueError):
    """A row that the table refuses; names the column."""


@dataclass(frozen=True)
class Column:
    """A column; `fields` are those of a RECORD."""

    name: str
    type: str
    mode: str = "NULLABLE"
    fields: tuple["Column", ...] = ()


def columns(schema: str | Sequence[Mapping[str, Any]]) -> tuple[Column, ...]:
    """Read a table's schema, JSON or its parsed form."""
    entries: Any = json.loads(schema) if isinstance(schema, str) else schema
    return tuple(
        Column(
            name=entry["name"],
            type=_type(str(entry["type"]).upper()),
            mode=str(entry.get("mode") or "NULLABLE").upper(),
            fields=columns(entry.get("fields") or ()),
        )
        for entry in entries
    )


def fitted(wanted: Sequence[Column], row: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """Return the row as JSON values, as the table keeps it. Raises RowError when it doesn't fit."""
    by_name = {name.lower(): value for name, value in row.items()}
    known = {column.name.lower() for column in wanted}
    for name in row:
        if name.lower() not in known:
            raise RowError(f"{path}{name}: no such column")
    return {
        column.name: _fitted_value(column, by_name.get(column.name.lower()), path)
        for column in wanted
    }


def _fitted_value(column: Column, value: Any, path: str) -> Any:
    where = f"{path}{column.name}"
    if column.mode == "REPEATED":
        if not isinstance(value, (list, tuple, type(None))):
            raise RowError(f"{where}: found {type(value).__name__}, allowed: a list")
        items = cast("Sequence[Any]", value or ())
        return [_fitted_one(column, item, f"{where}[{n}]") for n, item in enumerate(items)]
    if value is None:
        if column.mode == "REQUIRED":
            raise RowError(f"{where}: nothing found, and it is REQUIRED")
        return None
    return _fitted_one(column, value, where)


def _fitted_one(column: Column, value: Any, where: str) -> Any:
    try:
        if column.type == "RECORD":
            return fitted(column.fields, value, f"{where}.")
        return _KEEP[column.type](value)
    except RowError:
        raise
    except KeyError as problem:
        raise RowError(f"{where}: the warehouse has no type {column.type}") from problem
    except (ValueError, TypeError, AttributeError, OverflowError, InvalidOperation) as problem:
        raise RowError(f"{where}: found {value!r:.60}, allowed: {column.type}") from problem


def _type(name: str) -> str:
    return ALIASES.get(name, name)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _bytes(value: Any) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    base64.b64decode(_text(value), validate=True)
    return value


def _integer(value: Any) -> int:
    number = int(value)
    fraction = isinstance(value, float) and not value.is_integer()
    if isinstance(value, bool) or fraction or not -(2**63) <= number < 2**63:
        raise ValueError
    return number


def _float(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError
    return float(value)


def _boolean(value: Any) -> bool:
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise TypeError
    return value


def _decimal(whole: int, fraction: int) -> Callable[[Any], str]:
    def keep(value: Any) -> str:
        number = Decimal(str(value))
        exponent = number.as_tuple().exponent
        if not isinstance(exponent, int) or -exponent > fraction or abs(number) >= 10**whole:
            raise ValueError
        return str(number)

    return keep


def timestamp(value: Any) -> str:
    """Return a time as the warehouse keeps it, from microseconds since 1970 or RFC 3339."""
    if isinstance(value, int) and not isinstance(value, bool):
        moment = _EPOCH + timedelta(microseconds=value)
    else:
        moment = datetime.fromisoformat(_text(value))
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _date(value: Any) -> str:
    """From days since 1970 or ISO 8601."""
    if isinstance(value, int) and not isinstance(value, bool):
        return (_EPOCH.date() + timedelta(days=value)).isoformat()
    return date.fromisoformat(_text(value)).isoformat()


def _time(value: Any) -> str:
    return time.fromisoformat(_text(value)).isoformat()


def _datetime(value: Any) -> str:
    moment = datetime.fromisoformat(_text(value))
    if moment.tzinfo:
        raise ValueError
    return moment.isoformat()


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else json.loads(json.dumps(value))


def _geography(value: Any) -> str:
    if not re.match(r"\s*(POINT|LINESTRING|POLYGON|MULTI|GEOMETRYCOLLECTION|\{)", _text(value)):
        raise ValueError
    return value


_KEEP: Mapping[str, Callable[[Any], Any]] = {
    "STRING": _text,
    "BYTES": _bytes,
    "INTEGER": _integer,
    "FLOAT": _float,
    "NUMERIC": _decimal(29, 9),
    "BIGNUMERIC": _decimal(38, 38),
    "BOOLEAN": _boolean,
    "TIMESTAMP": timestamp,
    "DATE": _date,
    "TIME": _time,
    "DATETIME": _datetime,
    "JSON": _json,
    "GEOGRAPHY": _geography,
}

"""Published open models: what their config.json says of their shape, by Hugging Face repository."""

import datetime as dt
from collections.abc import Mapping
from typing import cast

from catalog.table import CatalogError, read, table

_document = read("models.yaml")
_rows = table(_document, "models")
_ABOUT = frozenset({"source", "like"})

AS_OF = dt.date.fromisoformat(str(_document["as_of"]))


def _values(name: str, row: Mapping[str, object]) -> Mapping[str, object]:
    """Return the values of a row, those of the row it is like included."""
    if str(row.get("source")).partition("/")[0] not in cast("dict[str, str]", _document["sources"]):
        raise CatalogError(f"models.{name}.source: found {row.get('source')!r}, expected a source")
    values = {key: value for key, value in row.items() if key not in _ABOUT}
    like = row.get("like")
    return {**_values(str(like), _rows[str(like)]), **values} if like else values


MODELS: Mapping[str, Mapping[str, object]] = {
    name: _values(name, row) for name, row in _rows.items()
}

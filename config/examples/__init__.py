"""Stack files that together have every key: what the reference and the schema show as examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

from pydantic import BaseModel

from catalog import strict_yaml
from config.keys import ENTRY, Key, keys

FOLDER: Final = Path(__file__).parent
WHOLE: Final = FOLDER / "platform.yaml"


def read(file: Path) -> Mapping[str, Any]:
    """Return the keys below `config` of a file."""
    document: Any = strict_yaml.load(file.read_text(encoding="utf-8"))
    return document["config"]


@cache
def configs() -> Mapping[str, Mapping[str, Any]]:
    """Return the examples by file name: the whole one, and the others laid over it."""
    whole = read(WHOLE)
    parts = {each.name: read(each) for each in sorted(FOLDER.glob("*.yaml")) if each != WHOLE}
    return {WHOLE.name: whole, **{name: laid_over(whole, part) for name, part in parts.items()}}


def laid_over(below: Any, above: Any) -> Any:
    """Return a value with another one merged into it, where null takes a key away (RFC 7386)."""
    if not isinstance(below, Mapping) or not isinstance(above, Mapping):
        return above
    old, new = cast("Mapping[str, Any]", below), cast("Mapping[str, Any]", above)
    merged = {**old, **{key: laid_over(old.get(key, {}), value) for key, value in new.items()}}
    return {key: value for key, value in merged.items() if value is not None}


def example(key: Key) -> Any:
    """Return the shortest value a key has in the examples, at its path or where its model is too.

    Of a mapping or list of what has keys of its own it is the first entry alone. Raises ValueError
    for a key that no example has.
    """
    places = [key.path, *_places()[key.model, key.name]]
    for path in places:
        if found := [each for config in configs().values() for each in _there(config, path)]:
            shortest = min(found, key=lambda each: len(str(each)))
            return shortest if key.below is None or key.inner == key.path else _first(shortest)
    raise ValueError(f"{'.'.join(key.path)} has no example: add one to {FOLDER}")


@cache
def _places() -> Mapping[tuple[type[BaseModel], str], Sequence[tuple[str, ...]]]:
    """Return the paths at which each model's keys stand."""
    places: dict[tuple[type[BaseModel], str], list[tuple[str, ...]]] = {}
    for key in keys():
        places.setdefault((key.model, key.name), []).append(key.path)
    return places


def _first(entries: Any) -> Any:
    if isinstance(entries, Mapping):
        return dict([*cast("Mapping[str, Any]", entries).items()][:1])
    return entries[:1]


def _there(value: Any, path: Sequence[str]) -> Iterator[Any]:
    """Yield what stands at a path, at each of its entries."""
    if not path:
        yield value
        return
    step, *rest = path
    below: Sequence[Any] = ()
    if isinstance(value, Mapping):
        entries = cast("Mapping[str, Any]", value)
        below = [*entries.values()] if step == ENTRY else [entries[step]] if step in entries else []
    elif step == ENTRY:
        below = value
    for each in below:
        yield from _there(each, rest)

"""The keys of a stack file, read from the models of the config."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, Union, cast, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from config.platform import Platform

ENTRY: Final = "*"
"""Any key of a mapping, any position of a list, in a key's path."""


@dataclass(frozen=True)
class Key:
    """A key of a stack file."""

    path: tuple[str, ...]
    model: type[BaseModel]
    """The model that has the key."""
    field: FieldInfo

    @property
    def name(self) -> str:
        """The last step of the path."""
        return self.path[-1]

    @property
    def inner(self) -> tuple[str, ...]:
        """The path of what stands below it: its own, or that of an entry."""
        return (*self.path, ENTRY) if _held(self.field.annotation) else self.path

    @property
    def below(self) -> type[BaseModel] | None:
        """The model of what stands below it; None for plain values, and lists and maps of them."""
        kind, _ = plain(_held(self.field.annotation) or chosen(self.field.annotation))
        return kind if is_model(kind) else None


def keys(model: type[BaseModel] = Platform, path: tuple[str, ...] = ()) -> Iterator[Key]:
    """Yield every key below a model, each before those below itself."""
    for name, field in named(model).items():
        key = Key((*path, name), model, field)
        yield key
        if key.below is not None:
            yield from keys(key.below, key.inner)


def named(model: type[BaseModel]) -> Mapping[str, FieldInfo]:
    """Return a model's fields by the names that a stack file has."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def types_of(model: type[BaseModel]) -> Mapping[str, Any]:
    """Return the types of a model's keys, with what annotates them."""
    return {
        name: Annotated[kind, *field.metadata] if field.metadata else kind
        for name, field in named(model).items()
        for kind in (cast("Any", field.annotation),)
    }


def plain(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return a type, and what is annotated of it."""
    metadata: tuple[Any, ...] = ()
    while get_origin(annotation) is Annotated:
        annotation, *more = get_args(annotation)
        metadata = (*more, *metadata)
    return annotation, metadata


def is_model(kind: Any) -> bool:
    """Return whether a type is a model of the config."""
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def is_union(kind: Any) -> bool:
    """Return whether a type is one of several."""
    return get_origin(kind) in {Union, types.UnionType}


def chosen(annotation: Any) -> Any:
    """Return the first type beside None, with what annotates it."""
    kind, metadata = plain(annotation)
    if not is_union(kind):
        return annotation
    first = _kinds(kind)[0]
    return chosen(Annotated[first, *metadata] if metadata else first)


def several(annotation: Any) -> bool:
    """Return whether there are several types beside None."""
    kind, _ = plain(annotation)
    return is_union(kind) and len(_kinds(kind)) > 1


def _kinds(union: Any) -> list[Any]:
    return [each for each in get_args(union) if each is not type(None)]


def _held(annotation: Any) -> Any:
    """Return the type of the entries of a list or mapping; None for other types."""
    kind, _ = plain(chosen(annotation))
    origin, inner = get_origin(kind), get_args(kind)
    if origin is tuple:
        return inner[0]
    return None if origin in {None, Literal} else inner[1]

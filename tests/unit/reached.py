"""Which arguments of components a program gives, whatever their values."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence
from typing import (
    Annotated,
    Any,
    NotRequired,
    Required,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

import pulumi
import pytest

from components import COMPONENTS, load

Key = tuple[str, str]
"""An argument: the name of its type, and its own."""


class Recorder:
    """Notes every argument that a component is given."""

    def __init__(self) -> None:
        self.given: set[Key] = set()

    def watch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Watch every component."""
        for name in COMPONENTS:
            component: Any = load(name)
            monkeypatch.setattr(
                component, "__init__", self._watched(component.__init__, arguments_of(name))
            )

    def _watched(self, init: Any, kind: Any) -> Any:
        def watched(
            itself: Any, name: str, args: Any, opts: pulumi.ResourceOptions | None = None
        ) -> None:
            self.given |= {*_given(kind, args)}
            init(itself, name, args, opts)

        return watched


def arguments_of(component: str) -> Any:
    """Return the type of a component's arguments."""
    return get_type_hints(load(component).__init__)["args"]


def options_of(component: str) -> set[Key]:
    """Return every argument of a component, those of its arguments' own types too."""
    return {*_all(arguments_of(component))}


def _all(kind: Any) -> Iterator[Key]:
    kind = _plain(kind)
    if _is_ours(kind):
        for name, hint in kind.__annotations__.items():
            yield kind.__name__, name
            yield from _all(hint)
    else:
        for each in get_args(kind):
            yield from _all(each)


def _given(kind: Any, value: Any) -> Iterator[Key]:
    kind = _plain(kind)
    inner = get_args(kind)
    if get_origin(kind) in (Union, types.UnionType):
        for each in inner:
            yield from _given(each, value)
    elif _is_ours(kind) and isinstance(value, Mapping):
        for name in kind.__annotations__.keys() & cast("Mapping[str, Any]", value):
            yield kind.__name__, name
            yield from _given(kind.__annotations__[name], value[name])
    elif inner and isinstance(value, Mapping):
        for each in cast("Mapping[str, Any]", value).values():
            yield from _given(inner[-1], each)
    elif inner and isinstance(value, Sequence) and not isinstance(value, str):
        for each in cast("Sequence[Any]", value):
            yield from _given(inner[0], each)


def _plain(kind: Any) -> Any:
    while get_origin(kind) in (Annotated, NotRequired, Required):
        kind = get_args(kind)[0]
    return kind


def _is_ours(kind: Any) -> bool:
    return is_typeddict(kind) and cast("type", kind).__module__.startswith("components.")

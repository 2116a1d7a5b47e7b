"""Checks values against the limits that annotate the types of a TypedDict."""

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
    is_typeddict,
)

from catalog.limits import Limit, LimitError
from catalog.problems import KeyPath, Problem, below, shown


def problems_in(values: object, kind: Any) -> Iterator[Problem]:
    """Yield what the limits in `kind`, a TypedDict or a part of one, refuse of `values`.

    Only plain values can be judged: an Output passes.
    """
    origin = get_origin(kind)
    if origin is Annotated:
        yield from _annotated(values, kind)
    elif origin in (NotRequired, Required, Union, types.UnionType):
        # The first of a union is the plain type, as in pulumi.Input and in an optional one.
        yield from problems_in(values, get_args(kind)[0])
    elif is_typeddict(kind) and isinstance(values, Mapping):
        fields = cast("Mapping[str, object]", values)
        for name, hint in kind.__annotations__.items():
            if name in fields:
                yield from below((name,), problems_in(fields[name], hint))
    elif origin is not None and isinstance(values, Mapping):
        of_key, of_value = get_args(kind)
        for key, value in cast("Mapping[str, object]", values).items():
            yield from below((key,), _of_key(key, of_key))
            yield from below((key,), problems_in(value, of_value))
    elif origin is not None and isinstance(values, Sequence) and not isinstance(values, str):
        for index, value in enumerate(cast("Sequence[object]", values)):
            yield from below((index,), problems_in(value, get_args(kind)[0]))


def _annotated(value: object, kind: Any) -> Iterator[Problem]:
    inner, *extras = get_args(kind)
    for limit in extras:
        if isinstance(limit, Limit):
            yield from problems_of(limit, value)
    yield from problems_in(value, inner)


def _of_key(key: str, kind: Any) -> Iterator[Problem]:
    for problem in problems_in(key, kind):
        yield Problem(problem.path, f"the name {problem.found}", problem.allowed, problem.remedy)


def problems_of(limit: Limit, value: object, path: KeyPath = ()) -> Iterator[Problem]:
    """Yield what one limit refuses of one value."""
    try:
        limit.check(value)
    except LimitError as breach:
        yield Problem(path, breach.found or shown(value), breach.allowed, breach.remedy)

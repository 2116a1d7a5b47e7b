"""Arguments that one component, or a stack, hands on to another."""

from collections.abc import Mapping
from typing import Any, TypeVar, cast

Args = TypeVar("Args")


def pick_arguments(kind: type[Args], given: Mapping[str, Any], **others: object) -> Args:
    """Return arguments of a component: those of `given` that it has too, and `others`.

    What is not given stays so. Raises TypeError for one of `others` that the component lacks.
    """
    names: Mapping[str, object] = kind.__annotations__
    if unknown := others.keys() - names.keys():
        raise TypeError(f"{kind.__name__} has no {', '.join(sorted(unknown))}")
    same = {name: value for name, value in given.items() if name in names}
    return cast("Args", {**same, **others})

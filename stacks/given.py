"""What the config gives, as components take it: under the same names."""

from typing import Any, TypeVar, cast

from config.fields import Settings

Args = TypeVar("Args")


def given(args: type[Args], settings: Settings, **others: object) -> Args:
    """Return arguments of a component: the config's set fields of the same names, and `others`.

    Raises TypeError for an argument that the component does not have.
    """
    names: dict[str, Any] = args.__annotations__
    if unknown := others.keys() - names.keys():
        raise TypeError(f"{args.__name__} has no {', '.join(sorted(unknown))}")
    fields = settings.model_dump(include={*names} - others.keys(), exclude_none=True)
    return cast("Args", {**fields, **others})

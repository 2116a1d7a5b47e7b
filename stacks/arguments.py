"""What the config gives, as components take it: under the same names."""

from collections.abc import Mapping
from typing import Any, TypeVar

from components.arguments import pick_arguments
from config.fields import Settings

Args = TypeVar("Args")


def to_args(args: type[Args], *settings: Settings, **others: object) -> Args:
    """Return arguments of a component: the config's set fields of the same names, and `others`.

    Raises TypeError for an argument that the component does not have.
    """
    fields: dict[str, Any] = {}
    for each in settings:
        fields |= set_fields(each)
    return pick_arguments(args, fields, **others)


def set_fields(settings: Settings) -> Mapping[str, Any]:
    """Return what is set of a part of the config, under the names of the file."""
    return settings.model_dump(exclude_none=True, by_alias=True)

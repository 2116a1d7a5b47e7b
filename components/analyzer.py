"""Lets Pulumi's analyzer read argument types with limits, and tells them in the schema."""

from collections.abc import Mapping
from typing import Annotated, Any, get_args, get_origin, is_typeddict

from pulumi.provider.experimental import analyzer, component
from pulumi.provider.experimental.analyzer import PropertyDefinition

from catalog.limits import Limit


class Analyzer(analyzer.Analyzer):
    """Reads `Annotated[type, limit]` as the type, described with what the limit allows."""

    def analyze_property(self, arg: Any, *args: Any, **kwargs: Any) -> PropertyDefinition:
        """Return the definition of one property."""
        if get_origin(arg) is Mapping:
            arg = Mapping[str, get_args(arg)[1]]
        if get_origin(arg) is not Annotated:
            return super().analyze_property(arg, *args, **kwargs)
        inner, *extras = get_args(arg)
        definition = self.analyze_property(inner, *args, **kwargs)
        limits = [_described(each) for each in extras if isinstance(each, Limit)]
        definition.description = "\n".join(filter(None, [definition.description, *limits]))
        return definition

    def get_docstring(self, typ: type, name: str) -> str | None:
        """Return the description of a property: the type's own, or that of what it extends."""
        bases: tuple[type, ...] = getattr(typ, "__orig_bases__", ())
        found = super().get_docstring(typ, name)
        inherited = (self.get_docstring(base, name) for base in bases if is_typeddict(base))
        return found or next(filter(None, inherited), None)


def _described(limit: Limit) -> str:
    default = "" if limit.default is None else f" Default: {limit.default}."
    return f"Allowed: {limit.allowed}.{default}"


def use() -> None:
    """Make the host of the components use this analyzer."""
    setattr(component, "Analyzer", Analyzer)  # noqa: B010 - the SDK's module does not export it

"""Lets Pulumi's analyzer read argument types with limits, and tells them in the schema."""

import ast
import inspect
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
            _, entry = get_args(arg)
            arg = Mapping[str, entry]
        if get_origin(arg) is not Annotated:
            return super().analyze_property(arg, *args, **kwargs)
        inner, *extras = get_args(arg)
        definition = self.analyze_property(inner, *args, **kwargs)
        limits = [_described(each) for each in extras if isinstance(each, Limit)]
        told = [definition.description] if definition.description else []
        definition.description = "\n".join([*told, *limits])
        return definition

    def get_docstring(self, typ: type, name: str) -> str | None:
        """Return the description of a property: the type's own, or that of what it extends."""
        found = super().get_docstring(typ, name)
        inherited = (self.get_docstring(base, name) for base in _extended(typ))
        return found or next(filter(None, inherited), None)


def _extended(kind: type) -> list[type]:
    """Return the TypedDicts that one extends, which it forgets: its source tells."""
    module = inspect.getmodule(kind)
    if module is None or not module.__name__.startswith(f"{__package__}."):
        return []
    names = [
        base.id
        for each in ast.parse(inspect.getsource(module)).body
        if isinstance(each, ast.ClassDef) and each.name == kind.__name__
        for base in each.bases
        if isinstance(base, ast.Name)
    ]
    return [base for name in names if is_typeddict(base := getattr(module, name))]


def _described(limit: Limit) -> str:
    default = "" if limit.default is None else f" Default: {limit.default}."
    return f"Allowed: {limit.allowed}.{default}"


def use() -> None:
    """Make the host of the components use this analyzer."""
    setattr(component, "Analyzer", Analyzer)  # noqa: B010 - the SDK's module does not export it

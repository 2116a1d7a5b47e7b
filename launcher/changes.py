"""What changes of a resource, with the values before and after."""

from typing import Any, Final

from pulumi.automation.events import StepEventMetadata, StepEventStateMetadata

from plans.plan import SECRET, walk
from sandbox.values import UNKNOWN_TEXTS

_SHOWN: Final = 4
_LONGEST: Final = 60
_MISSING: Final = object()


def changed_values(step: StepEventMetadata) -> str:
    """Return the paths that change, each with its values where they are plain, or ''."""
    paths = sorted(step.detailed_diff or step.diffs or ())
    if "replace" in str(step.op.value):
        paths = sorted(step.keys or paths)
    shown = [_change(path, step) for path in paths[:_SHOWN]]
    more = [f"{len(paths) - _SHOWN} more"] if len(paths) > _SHOWN else []
    return ", ".join([*shown, *more])


def _change(path: str, step: StepEventMetadata) -> str:
    old, new = (_at(state, path) for state in (step.old, step.new))
    values = [_plain(old), _plain(new)]
    if values[0] == values[1] or None in values:
        return path
    return f"{path} {values[0]} → {values[1]}"


def _at(state: StepEventStateMetadata | None, path: str) -> Any:
    value: Any = (state.inputs if state else None) or {}
    for step in walk(path):
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return _MISSING
    return value


def _plain(value: object) -> str | None:
    """Return a value as a line has it; None of what has no short form or must not be seen."""
    if value is _MISSING:
        return "nothing"
    if isinstance(value, (dict, list)) or value == SECRET:
        return None
    if value in UNKNOWN_TEXTS:
        return "not known yet"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= _LONGEST and "\n" not in text else None

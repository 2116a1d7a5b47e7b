"""The faults that a stack's sandbox cloud plays, and what they ask of a person."""

import os
from collections.abc import Iterable
from typing import Any

from catalog import strict_yaml
from launcher.paths import FAULTS, StackPaths
from launcher.problem import LaunchError
from sandbox.faults import Befallen, FaultPlanError, Planned, read


def read_faults(places: StackPaths) -> list[Planned]:
    """Return the stack's plan of faults; nothing where there is none.

    Raises LaunchError with every mistake in it.
    """
    file = places.faults
    try:
        return read(strict_yaml.load(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        if str(file) != os.environ.get(FAULTS):
            return []
        raise LaunchError(
            f"{FAULTS}: found {str(file)!r}, where nothing is; allowed: a plan of faults, as "
            "docs/faults.md has it"
        ) from None
    except (strict_yaml.YamlError, UnicodeDecodeError) as problem:
        raise LaunchError(f"{file}: can't be read as YAML: {problem}; fix that") from problem
    except FaultPlanError as problem:
        raise LaunchError("\n".join(f"{file}: {line}" for line in problem.lines)) from problem


def asked_faults(places: StackPaths) -> list[dict[str, Any]]:
    """Return the faults of the plan that FAULTS names, as they stand there; nothing without one.

    Raises LaunchError with every mistake in it.
    """
    if not os.environ.get(FAULTS):
        return []
    read_faults(places)
    document: Any = strict_yaml.load(places.faults.read_text(encoding="utf-8"))
    return list(document["faults"])


def to_do(befallen: Iterable[Befallen]) -> str:
    """Return what somebody has to do after planned faults, a line each; '' where nothing."""
    lines = [f"\n  {each.call.name}: {each.person}" for each in befallen if each.person]
    return f"\nto do by hand, or by config:{''.join(dict.fromkeys(lines))}" if lines else ""


def ridden_out(befallen: Iterable[Befallen]) -> list[str]:
    """Return a line for each call that a provider brought to its end in spite of a fault."""
    return [
        f"{each.fault.name} on {each.call.verb} of {each.call.name}: asked "
        f"{each.requests + 1} times, {each.waited:.0f} s"
        for each in befallen
        if each.ending in ("ridden out", "twice")
    ]

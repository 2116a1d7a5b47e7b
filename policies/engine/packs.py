"""The packs and their rules: each folder of `policies/rules` is a pack, each file in it a rule."""

import pkgutil
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Final

import yaml

from policies import rules
from policies.shared.rule import AnyRule

ALL: Final = "all"
"""The folder that serves the rules of every pack in one process: one start, one conversion."""


@cache
def packs() -> Mapping[str, tuple[AnyRule, ...]]:
    """Return the rules of each pack."""
    return {name.replace("_", "-"): _rules(name) for name in _modules(rules.__path__)}


def _modules(path: Iterable[str]) -> list[str]:
    return sorted(each.name for each in pkgutil.iter_modules(path))


def _rules(pack: str) -> tuple[AnyRule, ...]:
    package = import_module(f"{rules.__name__}.{pack}")
    modules = _modules(package.__path__)
    return tuple(import_module(f"{package.__name__}.{name}").RULE for name in modules)


def rules_of(folder: str) -> tuple[AnyRule, ...]:
    """Return the rules that a folder's pack serves."""
    if folder == ALL:
        return tuple(rule for pack in packs().values() for rule in pack)
    return packs()[folder]


def keys_of(rule: AnyRule) -> tuple[str, ...]:
    """Return what an environment's file may say below a rule's id, to allow what it finds."""
    return ("level", *(limit.name for limit in rule.limits))


def version_of(folder: str) -> str:
    """Return the version that a pack's PulumiPolicy.yaml states."""
    file = Path(__file__).parents[1] / folder / "PulumiPolicy.yaml"
    return str(yaml.safe_load(file.read_text(encoding="utf-8"))["version"])

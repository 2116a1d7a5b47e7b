"""What roles and permissions let their holder do, in a few words that matter for reach."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

_HERE: Final = Path(__file__).resolve().parent
Capabilities = frozenset[str]
NOTHING: Final[Capabilities] = frozenset()


@cache
def _table(name: str) -> Mapping[str, Any]:
    # libyaml reads the thousand roles in a tenth of the time, where it is there.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load((_HERE / f"{name}.yaml").read_text(encoding="utf-8"), loader)  # noqa: S506


@cache
def _patterns() -> Mapping[str, re.Pattern[str]]:
    return {
        capability: re.compile(re.sub(r"\s+", "", pattern))
        for capability, pattern in _table("capabilities").items()
    }


def of_role(role: str) -> Capabilities | None:
    """What a predefined or legacy role lets its holder do; None for one that is not known."""
    table = _table("roles")
    found = table["roles"].get(role.removeprefix("roles/"), table["legacy"].get(role))
    return None if found is None else frozenset(found)


def of_cluster_role(name: str) -> Capabilities | None:
    """What a ClusterRole that every cluster has lets its holder do; None for another."""
    found = _table("roles")["kubernetes"].get(name)
    return None if found is None else frozenset(found)


def of_permissions(permissions: Iterable[str]) -> Capabilities:
    """What the permissions of a custom role let its holder do."""
    names = list(permissions)
    return frozenset(
        capability
        for capability, pattern in _patterns().items()
        if any(pattern.fullmatch(name) for name in names)
    )

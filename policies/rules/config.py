"""Policy config: the level, limits and exemptions of each rule, as the engine hands them on.

The engine passes over names it does not know, so a misspelled rule would silently lose its limits.
`check_file` finds that; `python -m policies.check` runs it, and each pack runs it on the files
beside it before it starts. At run time `read_settings` refuses what does not fit, so a config from
elsewhere fails closed too: the engine stops before the first resource.
"""

import datetime as dt
import json
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from policies.rules.exemptions import Exemption, exemption, exemption_problems
from resources.properties import is_mapping, is_sequence

LEVELS = ("advisory", "mandatory", "disabled")
REMEDIATE: Final = "remediate"
LEVEL: Final = "enforcementLevel"
EXEMPTIONS: Final = "exemptions"
_LEVEL = LEVEL


class PolicyConfigError(ValueError):
    """A policy config that cannot be used. The text names every problem, one a line."""


class Limit(Protocol):
    """One property of a rule's config."""

    @property
    def name(self) -> str:
        """The property's name."""
        ...

    def schema(self) -> dict[str, object]:
        """The property's JSON schema, for the engine."""
        ...

    def allowed(self) -> str:
        """What values are allowed, for an error message."""
        ...

    def accepts(self, value: object) -> bool:
        """Whether the value can be used."""
        ...


@dataclass(frozen=True)
class NumberLimit:
    """A limit that is a number, zero or more."""

    name: str
    description: str

    def schema(self) -> dict[str, object]:
        """The property's JSON schema, for the engine."""
        return {"type": "number", "minimum": 0, "description": self.description}

    def allowed(self) -> str:
        """What values are allowed."""
        return "a number, 0 or more"

    def accepts(self, value: object) -> bool:
        """Whether the value can be used."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return math.isfinite(value) and value >= 0


@dataclass(frozen=True)
class NamesLimit:
    """A limit that is a list of names, each one of `choices` when there are any."""

    name: str
    description: str
    choices: tuple[str, ...] = ()

    def schema(self) -> dict[str, object]:
        """The property's JSON schema, for the engine."""
        item: dict[str, object] = {"type": "string"}
        if self.choices:
            item["enum"] = list(self.choices)
        return {"type": "array", "items": item, "description": self.description}

    def allowed(self) -> str:
        """What values are allowed."""
        return f"a list of {', '.join(self.choices)}" if self.choices else "a list of names"

    def accepts(self, value: object) -> bool:
        """Whether the value can be used."""
        return is_sequence(value) and all(
            isinstance(item, str) and (not self.choices or item in self.choices) for item in value
        )


class Limits:
    """The limits of one rule, already checked."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def number(self, name: str) -> float:
        """The number limit `name`."""
        value = self._values[name]
        if not isinstance(value, int | float):
            raise TypeError(f"{name} is not a number limit")
        return float(value)

    def names(self, name: str) -> tuple[str, ...]:
        """The names limit `name`."""
        value = self._values[name]
        if not is_sequence(value):
            raise TypeError(f"{name} is not a names limit")
        return tuple(str(item) for item in value)


@dataclass(frozen=True)
class Settings:
    """What the policy config says of one rule, already checked."""

    level: str
    limits: Limits
    exemptions: tuple[Exemption, ...] = ()


def read_settings(
    rules: Mapping[str, Sequence[Limit]],
    values: Mapping[str, Mapping[str, object]],
    *,
    remediable: Collection[str] = (),
    today: dt.date | None = None,
) -> dict[str, Settings]:
    """The settings of every rule out of the engine's config; raises `PolicyConfigError`.

    A rule that the config does not name is mandatory, and refused when it needs a limit. Limits of
    a disabled rule are not asked for.
    """
    day = today or dt.date.today()
    problems: list[str] = []
    settings: dict[str, Settings] = {}
    for rule_id, limits in rules.items():
        found = values.get(rule_id, {})
        level = found.get(LEVEL, "mandatory")
        if level == "disabled":
            settings[rule_id] = Settings("disabled", Limits({}))
            continue
        wrong = [
            *_level_problems(rule_id, level, remediable),
            *_limit_problems(rule_id, limits, found),
            *_exemption_problems(rule_id, found, day),
        ]
        problems += wrong
        if not wrong:
            exempt = found.get(EXEMPTIONS, ())
            settings[rule_id] = Settings(
                str(level),
                Limits(found),
                tuple(exemption(rule_id, each) for each in _objects(exempt)),
            )
    if problems:
        raise PolicyConfigError("\n".join(problems))
    return settings


def _objects(value: object) -> Iterator[Mapping[str, object]]:
    for each in value if is_sequence(value) else ():
        if is_mapping(each):
            yield each


def check_file(
    path: Path,
    rules: Mapping[str, Sequence[Limit]],
    *,
    remediable: Collection[str] = (),
    today: dt.date | None = None,
) -> None:
    """Check a policy config file against the limits of each rule; raises `PolicyConfigError`."""
    try:
        values: object = json.loads(
            path.read_text(encoding="utf-8"), object_pairs_hook=_without_duplicates
        )
    except (OSError, ValueError) as error:
        raise PolicyConfigError(f"{path}: cannot be read as JSON: {error}") from error
    found = list(problems_in(values, rules, remediable=remediable, today=today))
    if found:
        raise PolicyConfigError("\n".join(f"{path}: {problem}" for problem in found))


def problems_in(
    values: object,
    rules: Mapping[str, Sequence[Limit]],
    *,
    remediable: Collection[str] = (),
    today: dt.date | None = None,
) -> Iterator[str]:
    """Every problem of a policy config, as text that names the key, the value and the cure."""
    day = today or dt.date.today()
    if not is_mapping(values):
        yield "found something other than an object; write one entry per rule"
        return
    for rule_id in values:
        if rule_id not in rules:
            yield (
                f"{rule_id}: no rule of this pack has that name, allowed: {', '.join(rules)}; "
                "mend the spelling or remove the entry"
            )
    for rule_id, limits in rules.items():
        settings = values.get(rule_id)
        if settings is None:
            yield f"{rule_id}: not set; add its {_LEVEL}, one of {', '.join(LEVELS)}"
        elif not is_mapping(settings):
            yield (
                f"{rule_id}: found {settings!r}; "
                f'write an object such as {{"{_LEVEL}": "mandatory"}}'
            )
        else:
            yield from _level_problems(rule_id, settings.get(_LEVEL), remediable)
            yield from _limit_problems(rule_id, limits, settings)
            yield from _exemption_problems(rule_id, settings, day)


def _level_problems(rule_id: str, level: object, remediable: Collection[str]) -> Iterator[str]:
    allowed = (*LEVELS, REMEDIATE) if rule_id in remediable else LEVELS
    if level not in allowed:
        why = "; nothing mends it by itself" if level == REMEDIATE else ""
        yield f"{rule_id}.{_LEVEL}: found {level!r}, allowed: {', '.join(allowed)}{why}"


def _exemption_problems(
    rule_id: str, settings: Mapping[str, object], today: dt.date
) -> Iterator[str]:
    found = settings.get(EXEMPTIONS, ())
    if not is_sequence(found):
        yield f"{rule_id}.{EXEMPTIONS}: found {found!r}; write a list of objects"
        return
    for index, each in enumerate(found):
        for problem in exemption_problems(rule_id, each, today):
            yield f"{rule_id}.{EXEMPTIONS}[{index}].{problem}"


def _limit_problems(
    rule_id: str, limits: Sequence[Limit], values: Mapping[str, object]
) -> Iterator[str]:
    known = {limit.name: limit for limit in limits}
    for name in values:
        if name not in (_LEVEL, EXEMPTIONS) and name not in known:
            yield (
                f"{rule_id}.{name}: the rule has no such property, "
                f"allowed: {', '.join((_LEVEL, *known))}; mend the spelling or remove it"
            )
    for name, limit in known.items():
        if name not in values:
            yield (
                f"{rule_id}.{name}: not set, allowed: {limit.allowed()}; "
                "add it to the policy config"
            )
        elif not limit.accepts(values[name]):
            yield (
                f"{rule_id}.{name}: found {values[name]!r}, allowed: {limit.allowed()}; "
                "correct it in the policy config"
            )


def _without_duplicates(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    result: dict[str, object] = {}
    for key, value in pairs:
        if key in result:
            raise ValueError(f"{key!r} is there twice")
        result[key] = value
    return result

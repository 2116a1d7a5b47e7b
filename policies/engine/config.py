"""Policy config: the level, limits and exemptions of each rule.

A rule's file has its default level and limits; what an environment or the engine gives is laid
over them. A config that cannot be used fails closed: the engine stops before the first resource.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from catalog.problems import did_you_mean, shown
from policies.engine.exemptions import Exemption, exemption, exemption_problems
from policies.shared.limits import Limits
from policies.shared.rule import AnyRule
from resources.properties import is_sequence

LEVELS: Final = ("advisory", "mandatory", "disabled")
REMEDIATE: Final = "remediate"
DISABLED: Final = "disabled"
LEVEL: Final = "level"
EXEMPTIONS: Final = "exemptions"

Config = Mapping[str, Mapping[str, object]]
"""By rule, what is set: `level`, limits, `exemptions`."""


class PolicyConfigError(ValueError):
    """A policy config that cannot be used. The text names every problem, one a line."""


@dataclass(frozen=True)
class Settings:
    """What the policy config says of one rule, already checked."""

    level: str
    limits: Limits
    exemptions: tuple[Exemption, ...] = ()


def effective(rules: Iterable[AnyRule], config: Config) -> dict[str, dict[str, object]]:
    """Return the config of every rule: what is set, over the defaults in the rule's file."""
    return {rule.id: {**_defaults(rule), **config.get(rule.id, {})} for rule in rules}


def _defaults(rule: AnyRule) -> dict[str, object]:
    given = {each.name: each.default for each in rule.limits if each.default is not None}
    lists = {name: list(each) if is_sequence(each) else each for name, each in given.items()}
    return {LEVEL: rule.level.value, **lists}


def read_settings(
    rules: Sequence[AnyRule], config: Config, today: dt.date | None = None
) -> dict[str, Settings]:
    """Return the settings of every rule; raises `PolicyConfigError`."""
    values = effective(rules, config)
    found = [each for rule in rules for each in problems_of(rule, values[rule.id], today)]
    if found:
        raise PolicyConfigError("\n".join(found))
    return {
        rule_id: Settings(
            str(each[LEVEL]),
            Limits(each),
            tuple(
                exemption(rule_id, entry) for entry in cast("list[Any]", each.get(EXEMPTIONS, ()))
            ),
        )
        for rule_id, each in values.items()
    }


def unknown_rules(config: Iterable[str], rules: Iterable[AnyRule]) -> Iterator[str]:
    """Yield a problem for each name in a config that no rule has."""
    names = {rule.id for rule in rules}
    for name in config:
        if name not in names:
            hint = did_you_mean(name, names, "correct or remove the entry")
            yield f"{name}: no rule has that name; {hint}"


def problems_of(
    rule: AnyRule, values: Mapping[str, object], today: dt.date | None = None
) -> Iterator[str]:
    """Yield what is wrong with the config of a rule: the key, the value and what to do."""
    remediates = rule.remediable
    levels = (*LEVELS, REMEDIATE) if remediates else LEVELS
    level = values.get(LEVEL)
    if level not in levels:
        why = "; it cannot remediate" if level == REMEDIATE else ""
        yield f"{rule.id}.{LEVEL}: found {shown(level)}, allowed: {', '.join(levels)}{why}"
    yield from _limit_problems(rule, values)
    yield from _exemption_problems(rule, values.get(EXEMPTIONS, ()), today or dt.date.today())


def _limit_problems(rule: AnyRule, values: Mapping[str, object]) -> Iterator[str]:
    known = {limit.name: limit for limit in rule.limits}
    for name in values:
        if name not in (LEVEL, EXEMPTIONS) and name not in known:
            yield (
                f"{rule.id}.{name}: the rule has no such property, "
                f"allowed: {', '.join((LEVEL, *known))}; correct or remove it"
            )
    for name, limit in known.items():
        if name in values:
            found = f"found {shown(values[name])}"
        elif values.get(LEVEL) != DISABLED:
            found = "not set"
        else:
            continue
        if name not in values or not limit.accepts(values[name]):
            yield f"{rule.id}.{name}: {found}, allowed: {limit.allowed()}; set it in the config"


def _exemption_problems(rule: AnyRule, found: object, today: dt.date) -> Iterator[str]:
    if not is_sequence(found):
        yield f"{rule.id}.{EXEMPTIONS}: found {shown(found)}; write a list of objects"
        return
    for index, each in enumerate(found):
        for problem in exemption_problems(rule, each, today):
            yield f"{rule.id}.{EXEMPTIONS}[{index}].{problem}"

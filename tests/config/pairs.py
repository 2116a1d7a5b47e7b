"""Stacks in which each option of an area stands beside each option of every other area.

An area is a key at the top of a stack file; `environment` is one of them, so two others stand
together on dev or on prod. Values count apart where they choose what is made, which are words and
switches; sizes, types of machines and regions have a digit, only stand where they are given, and
count as their key.

`python -m tests.config.pairs` writes them to `matrix/pairs.json`, each as what differs from the
first stack of its environment. With `--count` it only says how many pairs stand together.
"""

# A config is any JSON, which has no types:
from __future__ import annotations

import copy
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import product
from random import Random
from typing import Any, Final, cast

from catalog.openapi import parsed
from config.checks import services
from config.errors import ConfigError
from config.load import from_mapping
from tests.config.matrix import ENVIRONMENTS, FOLDER, Config, stacks
from tests.config.options import Generator, Option, options, source_of, standing

FILE: Final = FOLDER / "pairs.json"
MOST_STACKS: Final = 70
MOST_FAILURES: Final = 12
MOST_TRIED: Final = 4
WITH_OTHERS: Final = 3
"""So many, those with most pairs, are made with all other tests; `make test-matrix` makes all."""
FIXED: Final = frozenset({"environment", "project"})
Pair = frozenset[Option]
EXCLUDED: Final = {
    frozenset({"consumers.*.project", "gateway.accept: network"}): (
        "an attachment accepts projects or networks: where networks, a consumer names subnetworks"
    ),
}
"""Options that stand together nowhere, and why."""


@cache
def counted(option: Option) -> Option:
    """Return what an option counts as."""
    return replace(option, value=None) if re.search(r"\d", str(option.value)) else option


def missing(configs: Iterable[Config]) -> set[Pair]:
    """Return the pairs of options of different areas that stand together in none of the configs."""
    wanted = [*dict.fromkeys(map(counted, options()))]
    bits = {option: 1 << index for index, option in enumerate(wanted)}
    areas: dict[str, int] = {}
    for option, bit in bits.items():
        areas[option.path[0]] = areas.get(option.path[0], 0) | bit
    beside = {option: areas[option.path[0]] for option in wanted}
    for config in configs:
        here = _here(config)
        together = sum(bits[option] for option in here)
        for option in here:
            beside[option] |= together
    return {
        frozenset((option, other))
        for index, option in enumerate(wanted)
        for other in wanted[:index]
        if not beside[option] & bits[other]
    }


@cache
def pair_stacks() -> list[Config]:
    """Return the stacks that are there for pairs, beside those of every option."""
    rows: Any = json.loads(FILE.read_text()) if FILE.exists() else []
    return [_merged(stacks(each["environment"])[0], each) for each in rows]


def generated() -> Iterator[tuple[list[Config], set[Pair]]]:
    """Yield stacks with the pairs that the stacks of every option lack, and what is left.

    First those that are there and still load, then again after each one more.
    """
    made: list[Config] = []
    left = missing(all_stacks())

    def keep(config: Config) -> bool:
        nonlocal left
        found = missing([*all_stacks(), *made, config])
        if len(found) == len(left):
            return False
        made.append(config)
        left = found
        return True

    for config in pair_stacks():
        if _loads(config):
            keep(config)
    yield made, left
    begun = set[Pair]()
    while len(made) < MOST_STACKS and (open_ := left - begun):
        pair = _hardest(open_)
        begun.add(pair)
        beginning = _together(pair, [*all_stacks(), *made])
        if beginning and keep(_filled(beginning, left, Random(len(made)))):  # noqa: S311 - the same stacks each time
            yield made, left


def all_stacks() -> list[Config]:
    """Return the stacks of every option, of all environments."""
    return [stack for each in ENVIRONMENTS for stack in stacks(each)]


def _here(config: Config) -> set[Option]:
    return {counted(each) for each in standing(config)}


def _hardest(left: set[Pair]) -> Pair:
    """Return the pair whose options lack most others."""
    counts = Counter(each for pair in left for each in pair)
    return max(sorted(left, key=_named), key=lambda pair: sum(counts[each] for each in pair))


def _named(pair: Pair) -> list[str]:
    return sorted(map(str, pair))


def _together(pair: Pair, configs: Sequence[Config]) -> Config | None:
    """Return a config in which both stand: one with an area of another, and what goes with that."""
    for one, other in (sorted(pair, key=str), sorted(pair, key=str, reverse=True)):
        area = other.path[0]
        into = sorted((each for each in configs if one in _here(each)), key=_size)
        sources = sorted((each for each in configs if other in _here(each)), key=_size)
        for config, source in product(into[:MOST_TRIED], sources[:MOST_TRIED]):
            for beside in (None, *sorted(source.keys() - FIXED - {area, one.path[0]})):
                changed = {**config, area: source[area]}
                if beside:
                    changed[beside] = source[beside]
                if pair <= _here(changed) and _loads(changed):
                    return copy.deepcopy(changed)
    return None


def _size(config: Config) -> int:
    return len(str(config))


def _filled(config: Config, wanted: set[Pair], random: Random) -> Config:
    """Return a config with as many of the pairs as there is a way to."""
    beside = defaultdict[Option, set[Option]](set)
    for one, other in wanted:
        beside[one].add(other)
        beside[other].add(one)
    here = _here(config)
    gained = _gain(here, beside)
    # First whole areas of other stacks, instead of its own or together with them.
    others = [(key, own) for one in all_stacks() for key, own in one.items()]
    random.shuffle(others)
    for area, own in others:
        there = config.get(area)
        for value in (own, {**there, **own} if isinstance(there, dict) else own):
            changed = {**config, area: copy.deepcopy(value)}
            now = _here(changed)
            gain = _gain(now, beside)
            if gain > gained and area not in FIXED and _loads(changed):
                config, here, gained = changed, now, gain
    # Then option by option.
    generator = Generator(config, random)
    tried = set[Option]()
    failures = 0
    while failures < MOST_FAILURES:
        open_ = sorted((each for each in beside if each not in here | tried), key=str)
        if not open_:
            break
        option = max(open_, key=lambda each: len(beside[each] & here))
        tried.add(option)
        before = generator.config, generator.platform
        if not generator.set(_any_value(option)):
            failures += 1
            continue
        now = _here(generator.config)
        gain = _gain(now, beside)
        if gain > gained:
            here, gained, failures = now, gain, 0
        else:
            generator.config, generator.platform = before
            failures += 1
    return generator.config


def _loads(config: Config) -> bool:
    try:
        from_mapping(config, source_of(config))
    except ConfigError:
        return False
    return True


def _any_value(option: Option) -> Option:
    return next(each for each in options() if counted(each) == option)


def _gain(here: set[Option], beside: Mapping[Option, set[Option]]) -> int:
    return sum(len(beside[each] & here) for each in here if each in beside)


def _merged(old: Any, change: Any) -> Any:
    """Return what a merge patch (RFC 7396) makes of a value."""
    if not isinstance(change, dict):
        return copy.deepcopy(change)
    new: dict[str, Any] = copy.deepcopy(old) if isinstance(old, dict) else {}
    for key, value in cast("dict[str, Any]", change).items():
        if value is None:
            new.pop(key, None)
        else:
            new[key] = _merged(new.get(key), value)
    return new


def _patch(old: Any, new: Any) -> Any:
    """Return the merge patch between two values."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    before, after = cast("dict[str, Any]", old), cast("dict[str, Any]", new)
    gone = {key: None for key in before if after.get(key) is None}
    changed = {
        key: _patch(before.get(key, {} if isinstance(value, dict) else None), value)
        for key, value in after.items()
        if value is not None and value != before.get(key)
    }
    return gone | changed


def text(configs: Iterable[Config]) -> str:
    """Return the stacks for pairs as JSON, an area a line."""
    rows: list[str] = []
    for config in configs:
        environment = config["environment"]
        row = {"environment": environment, **_patch(stacks(environment)[0], config)}
        rows.append(",\n".join(f'"{key}": {json.dumps(value)}' for key, value in row.items()))
    return "[" + ",\n\n".join(f"{{\n{each}\n}}" for each in rows) + "]\n"


def main(arguments: Sequence[str]) -> int:
    """Write the stacks for pairs, or only count."""
    services.parsed = cache(parsed)  # the same each time
    if "--count" in arguments:
        made = pair_stacks()
        print(told(made, missing([*all_stacks(), *made])))
        return 0
    for made, left in generated():
        FILE.write_text(text(made))
        print(told(made, left), flush=True)
    return 0


def told(made: Iterable[Config], left: set[Pair]) -> str:
    """Return how many pairs stand together, and in how many stacks."""
    total = len(missing(()))
    more = len([*made])
    return f"{total - len(left)} of {total} pairs of options of two areas in {more} stacks more"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

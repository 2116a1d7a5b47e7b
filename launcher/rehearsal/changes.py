"""Changes of a config that a rehearsal tries, derived from what the config has.

Each yields ways to change it, the best first: a config for every stage. The first is taken whose
configs are all valid.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from catalog.limits.inference import REQUEST_TIMEOUT_SECONDS, WEIGHT
from config.examples import laid_over
from launcher.rehearsal.places import Config

Ways = Iterator[Sequence[Config]]

NEW: Final = "rehearsed"
"""The name of what a rehearsal adds."""
FIRST_SHARE: Final = 10
"""Percent of the requests that a canary gets."""


def nothing(config: Config) -> Ways:
    """Yield the config as it is."""
    yield (config,)


def setting(config: Config) -> Ways:
    """Yield another time limit of requests, and the one there was."""
    gateway: Mapping[str, Any] = config.get("gateway") or {}
    seconds = int(gateway.get("request_timeout_seconds", REQUEST_TIMEOUT_SECONDS.default))
    for other in (seconds - 1, seconds + 1):
        yield laid_over(config, {"gateway": {"request_timeout_seconds": other}}), config


def rollout(config: Config) -> Ways:
    """Yield the stages of a new version beside a replica set of a model: a first share, none, all,
    alone, and the config as it was."""
    for name, model in (config.get("models") or {}).items():
        sets: Sequence[Mapping[str, Any]] = model.get("replica_sets") or ()
        shares = [int(each.get("weight", WEIGHT.default)) for each in sets]
        for place in sorted(range(len(sets)), key=lambda each: -shares[each]):
            yield tuple(
                laid_over(config, {"models": {name: {"replica_sets": each}}})
                for each in _stages(sets, place, shares[place])
            )


def _stages(
    sets: Sequence[Mapping[str, Any]], place: int, share: int
) -> Iterator[Sequence[Mapping[str, Any]]]:
    old = sets[place]
    new = {**old, "name": NEW}
    first = min(FIRST_SHARE, share)
    for kept, given in ((share - first, first), (share, 0), (0, share)):
        yield [
            *sets[:place],
            {**old, "weight": kept},
            *sets[place + 1 :],
            {**new, "weight": given},
        ]
    yield [*sets[:place], {**new, "weight": share}, *sets[place + 1 :]]
    yield sets


def unprotected(config: Config) -> Ways:
    """Yield the config without protection from deletion, where it has that."""
    if config.get("deletion_protection"):
        yield ({**config, "deletion_protection": False},)


def without_a_region(config: Config) -> Ways:
    """Yield the config without one of its regions, the last first, and then with it again."""
    regions = list(config["regions"])
    for region in reversed(regions) if len(regions) > 1 else ():
        left = _without(config, region)
        yield left, config
        # With one region there is nothing to fail over to.
        consumers = {name: {"failover": None} for name in config.get("consumers") or ()}
        yield laid_over(left, {"consumers": consumers}), config


def region_left_out(before: Config, after: Config) -> str:
    """Return the region that only the first of two configs has."""
    return next((each for each in before["regions"] if each not in after["regions"]), "")


def _without(value: Any, region: str) -> Any:
    """Return a value without what is named by the region, and without its name in lists."""
    if isinstance(value, Mapping):
        return {key: _without(each, region) for key, each in value.items() if key != region}
    if isinstance(value, list):
        return [_without(each, region) for each in value if each != region]
    return value

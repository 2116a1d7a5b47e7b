"""What an operation makes anew, and what goes down with it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from launcher.progress import name_of, short_type
from launcher.recording import needed


def replacements_section(
    replaced: Mapping[str, Sequence[str]],
    gone: Iterable[str],
    recorded: Iterable[Mapping[str, Any]],
) -> str:
    """Names each replacement by what changed, with the resources that go because they need it.

    `replaced` maps URNs to what of their inputs changed, `gone` are the URNs of what is deleted,
    `recorded` the resources of the state.
    """
    needs = {each["urn"]: set(needed(each)) for each in recorded}
    going = {*replaced, *gone}
    above = {urn: _above(urn, needs) & replaced.keys() for urn in going}
    lines = [
        f"  {_named(urn)} [{', '.join(replaced[urn])}]{_with(urn, above)}\n"
        for urn in replaced
        if not above[urn]
    ]
    return f"Replaced, with what goes down meanwhile:\n{''.join(lines)}" if lines else ""


def _above(urn: str, needs: Mapping[str, set[str]]) -> set[str]:
    """Return all that a resource needs, directly or not."""
    found: set[str] = set()
    waiting = [urn]
    while waiting:
        for each in needs.get(waiting.pop(), ()):
            if each not in found:
                found.add(each)
                waiting.append(each)
    return found


def _with(urn: str, above: Mapping[str, set[str]]) -> str:
    types = Counter(_type_of(each) for each, needed in above.items() if urn in needed)
    counted = ", ".join(f"{count} {name}" for name, count in sorted(types.items()))
    return f": with it {counted}" if counted else ""


def _named(urn: str) -> str:
    return f"{_type_of(urn)} {name_of(urn)}"


def _type_of(urn: str) -> str:
    return short_type(urn.split("::")[2].rpartition("$")[2])

"""Write the tables of rules into the packs' READMEs: `python -m policies.readme [--check]`."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from catalog.pages import kept
from catalog.words import plural
from policies.engine.config import DISABLED, LEVEL
from policies.engine.environment import ENVIRONMENTS, environments, load
from policies.engine.packs import packs
from policies.shared.rule import AnyRule
from resources.properties import is_sequence

FOLDER: Final = ENVIRONMENTS.parent
BEGIN: Final = "<!-- rules: made by `python -m policies.readme` -->"
END: Final = "<!-- end of rules -->"
_MOST_NAMES: Final = 3

Configs = Sequence[Mapping[str, Mapping[str, object]]]


def shown(value: object) -> str:
    """Return a limit's value as text; long lists by their length."""
    if not is_sequence(value):
        return f"{value:,}" if isinstance(value, int | float) else str(value)
    names = ", ".join(str(each) for each in value)
    return (
        (names or "none") if len(value) <= _MOST_NAMES else plural(len(value), "entry", "entries")
    )


def table(rules: Iterable[AnyRule], names: Sequence[str], configs: Configs) -> str:
    """Return the rows of rules, with their levels and limits in each environment."""
    rows = [
        f"| rule | severity | level | what must hold | limits ({' / '.join(names)}) |",
        "|---|---|---|---|---|",
    ]
    for rule in rules:
        found = [config[rule.id] for config in configs]
        limits = "; ".join(
            f"`{limit.name}` {_joined(_limit(each, limit.name) for each in found)}"
            for limit in rule.limits
        )
        level = _joined(str(each[LEVEL]) for each in found)
        rows.append(
            f"| `{rule.id}` | {rule.severity.value} | {level} | {rule.description} | {limits} |"
        )
    return "\n".join(rows)


def _limit(values: Mapping[str, object], name: str) -> str:
    return "off" if values[LEVEL] == DISABLED and name not in values else shown(values[name])


def _joined(values: Iterable[str]) -> str:
    return " / ".join(dict.fromkeys(values))


def _pages() -> Mapping[Path, str]:
    """Return each pack's README. Raises PolicyConfigError for an environment that is not read."""
    names = environments()
    configs = [load(ENVIRONMENTS / f"{name}.yaml") for name in names]
    wanted: dict[Path, str] = {}
    for pack, rules in packs().items():
        path = FOLDER / pack / "README.md"
        before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        wanted[path] = f"{before}{BEGIN}\n{table(rules, names, configs)}\n{END}{after}"
    return wanted


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the tables; return the exit code."""
    return kept("policies.readme", _pages, arguments)


if __name__ == "__main__":
    sys.exit(main())

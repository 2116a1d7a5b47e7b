"""Count what each kind of mistake is covered by: `python -m tests.policies.kinds [--check]`.

`policies/kinds.yaml` says what the kinds are. An id beside patterns goes before them.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib import import_module
from pathlib import Path
from typing import Any, Final, cast

from catalog import strict_yaml
from catalog.pages import kept
from catalog.pages import table as rows_of
from tests.policies.cases import CASES, EXAMPLES
from tests.policies.harness import RULES

ROOT: Final = Path(__file__).parents[2]
README: Final = ROOT / "policies" / "README.md"
BEGIN: Final = "<!-- kinds: made by `python -m tests.policies.kinds` -->"
END: Final = "<!-- end of kinds -->"
_MOST_NAMES: Final = 5


@dataclass(frozen=True)
class Kind:
    """A kind of mistake."""

    name: str
    authority: str
    rules: tuple[str, ...]
    tables: Mapping[str, int]
    """Rows of each table, by its file."""
    cases: int
    mutations: int


def kinds() -> list[Kind]:
    """Return the kinds, each rule in one of them."""
    text = (ROOT / "policies" / "kinds.yaml").read_text(encoding="utf-8")
    listed = cast("dict[str, Any]", strict_yaml.load(text))
    owners = {rule: _owner(rule, listed) for rule in RULES}
    return [_kind(name, row, owners) for name, row in listed.items()]


def _owner(rule: str, listed: Mapping[str, Any]) -> str:
    """Return the kind that names a rule, else the first with a pattern of its id."""
    named = [name for name, row in listed.items() if rule in row["rules"]]
    fits = [
        name
        for name, row in listed.items()
        if any(fnmatchcase(rule, each) for each in row["rules"])
    ]
    return next(iter((*named, *fits)), "")


def _kind(name: str, row: Mapping[str, Any], owners: Mapping[str, str]) -> Kind:
    rules = tuple(rule for rule, owner in owners.items() if owner == name)
    tables: dict[str, int] = {}
    for where in row["tables"]:
        file, rows = _rows(where)
        tables[file] = tables.get(file, 0) + rows
    return Kind(
        name,
        row["authority"],
        rules,
        tables,
        sum(case.rule in rules for case in CASES),
        sum(len(EXAMPLES[rule].get("mutations", {})) for rule in rules if rule in EXAMPLES),
    )


def _rows(where: str) -> tuple[str, int]:
    """Return the file of a table and how many rows it has."""
    place, star, _ = where.partition("/*")
    module, _, name = place.partition(":")
    found: Any
    if name:
        file, found = f"{module.replace('.', '/')}.py", getattr(import_module(module), name)
    else:
        file, found = place, strict_yaml.load((ROOT / place).read_text(encoding="utf-8"))
    return file, sum(map(len, found.values())) if star else len(found)


def _page() -> Mapping[Path, str]:
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    heads = ("kind", "closed against", "rules", "rows of tables", "cases", "mutations of prod")
    body = rows_of(heads, [_row(each) for each in kinds()])
    return {README: f"{before}{BEGIN}\n{body}\n{END}{after}"}


def _row(kind: Kind) -> tuple[str, ...]:
    some = ", ".join(f"`{rule}`" for rule in kind.rules[:_MOST_NAMES])
    more = len(kind.rules) - _MOST_NAMES
    rules = f"{len(kind.rules)}: {some}" + (f" and {more} more" if more > 0 else "")
    tables = ", ".join(f"`{file}` {rows}" for file, rows in kind.tables.items()) or "in the rules"
    return kind.name, kind.authority, rules, tables, str(kind.cases), str(kind.mutations)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the table; return the exit code."""
    return kept("tests.policies.kinds", _page, arguments)


if __name__ == "__main__":
    sys.exit(main())

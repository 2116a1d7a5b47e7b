"""The examples of a rule, `examples/<its id>.yaml`.

`cases` hold resources and what the rule says of them: nothing without `says`. `<unknown>` is a
value that a preview does not know. `type` and `limits` are those of cases that have none.

`mutations` are bad changes to the prod stack that the rule must catch, each a change or a list:
`of` a type (and `named` a pattern), `set` paths (`a|b|0`) to values (null leaves a property out),
or `add` a resource. A change that is `given` only makes what the next one spoils.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from catalog import strict_yaml
from policies.shared.rule import ResourceRule
from resources.resource import Resource
from tests.policies.harness import NOT_APPLICABLE, RULES, UNKNOWN, check, check_stack, resource

FOLDER: Final = Path(__file__).parent / "examples"
UNKNOWN_WORD: Final = "<unknown>"


@dataclass(frozen=True)
class Case:
    """One rule on one example."""

    rule: str
    name: str
    limits: dict[str, Any]
    resources: tuple[dict[str, Any], ...]
    """Each with `type` and `props`, and where it matters `name`, `wired`, `protect`, `provider`."""
    says: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.rule}: {self.name}"

    def run(self) -> list[str]:
        """Return the messages of the rule."""
        if isinstance(RULES[self.rule], ResourceRule):
            (one,) = self.resources
            return check(
                self.rule, one["type"], one["props"], self.limits, protect=one.get("protect", False)
            )
        return check_stack(self.rule, policy_resources(self.resources), self.limits)


def policy_resources(rows: tuple[dict[str, Any], ...]) -> list[Resource]:
    """Return the resources as the engine gives them to a rule of the whole stack."""
    made: dict[str, Resource] = {}
    for row in rows:
        name = row.get("name", "it")
        wired = {
            prop: [made.get(each) or resource("gcp:other/other:Other", {}, each) for each in names]
            for prop, names in row.get("wired", {}).items()
        }
        made[name] = resource(
            row["type"],
            row["props"],
            name,
            wired,
            protect=row.get("protect"),
            provider=row.get("provider", ""),
        )
    return list(made.values())


def with_unknowns(value: Any) -> Any:
    """Return the value, `<unknown>` replaced by what stands for an unknown value in a preview."""
    if isinstance(value, dict):
        parts = cast("dict[str, Any]", value)
        return {key: with_unknowns(each) for key, each in parts.items()}
    if isinstance(value, list):
        return [with_unknowns(each) for each in cast("list[Any]", value)]
    return UNKNOWN if value == UNKNOWN_WORD else value


def document(path: Path) -> dict[str, Any]:
    """Return a YAML file of the tests, with its unknown values."""
    return with_unknowns(strict_yaml.load(path.read_text(encoding="utf-8"), own=True))


EXAMPLES: Final = {path.stem: document(path) for path in sorted(FOLDER.glob("*.yaml"))}


def _cases() -> Iterator[Case]:
    for rule, group in EXAMPLES.items():
        for name, row in group.get("cases", {}).items():
            rows = row["resources"] if "resources" in row else [{"type": group.get("type"), **row}]
            says = row.get("says", [])
            yield Case(
                rule,
                name,
                row.get("limits", group.get("limits", {})),
                tuple(rows),
                (says,) if isinstance(says, str) else tuple(says),
            )


CASES: Final = tuple(_cases())
NOT_SPOKEN_OF: Final = tuple(NOT_APPLICABLE)

"""Write the page of every rule: `python -m policies.reference [--check]`."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from catalog.pages import cell, kept, table
from policies.engine.environment import ENVIRONMENTS
from policies.engine.packs import packs
from policies.readme import shown
from policies.shared.rule import AnyRule

PAGE: Final = ENVIRONMENTS.parents[1] / "docs" / "reference" / "rules.md"
_ABOUT: Final = """\
# Rules

<!-- Written by `python -m policies.reference`. -->

Every rule of the [policy packs](../../policies/README.md): what must hold and why, its level where
an environment sets none, what allows what it finds, and its source. The levels and limits of an
environment stand in `policies/environments/<environment>.yaml`, and there a limit without a default
has to be given; the READMEs of the packs compare the environments. `make policy` shows what the
rules find.

What a rule finds is allowed by a limit, by the level `advisory` or `disabled`, or, of one resource
and for a time, by an exemption, unless the rule takes none:

```yaml
rules:
  rel-pdb: advisory
exemptions:
  - rule: rel-pdb
    resource: kubernetes:apps/v1:Deployment::preview-*
    finding: has no PodDisruptionBudget
    reason: previews live for a week, and nobody depends on them
    owner: ml-platform@acme.com
    expires: 2027-01-31
```
"""


def page() -> str:
    """Return the page."""
    parts = [_ABOUT]
    for pack, rules in packs().items():
        parts.append(f"## {pack}\n")
        parts += [_rule(rule) for rule in rules]
    return "\n".join(parts)


def _rule(rule: AnyRule) -> str:
    lines = [
        f"### {rule.id}",
        f"{rule.description} {rule.why}",
        f"Severity {rule.severity.value}, level {rule.level.value}."
        + (" Can correct what it finds (`remediate`)." if rule.remediable else "")
        + (f" No exemption: {rule.never_exempt}." if rule.never_exempt else ""),
        f"To end it: {rule.remediation}",
    ]
    if rule.limits:
        rows = [
            (
                f"`{limit.name}`",
                str(limit.schema()["description"]),
                limit.allowed(),
                "**none: give it**" if limit.default is None else shown(limit.default),
            )
            for limit in rule.limits
        ]
        lines.append(table(("limit", "what", "allowed", "default"), rows))
    lines.append(f"Source: {', '.join(_sources(rule))}.")
    return "\n\n".join(cell(line) if "\n" not in line else line for line in lines) + "\n"


def _sources(rule: AnyRule) -> Iterator[str]:
    yield f"<{rule.url}>"
    yield from (f"{each.framework} {each.control}" for each in rule.references)


def _pages() -> Mapping[Path, str]:
    return {PAGE: page()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the page; return the exit code."""
    return kept("policies.reference", _pages, arguments)


if __name__ == "__main__":
    sys.exit(main())

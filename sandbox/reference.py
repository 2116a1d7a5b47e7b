"""Write the page of what the sandbox knows and does not play: `python -m sandbox.reference`."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import yaml

from catalog.pages import kept, table
from sandbox.gcp.effects import EFFECTS
from sandbox.gcp.facts import VERSIONS, facts_of
from sandbox.gcp.facts_import import known_types
from sandbox.gcp.rows import Row, services
from sandbox.kubernetes.known import known

_ROOT: Final = Path(__file__).parents[1]
LIMITS: Final = Path(__file__).parent / "limits.yaml"
PAGE: Final = _ROOT / "docs" / "reference" / "sandbox.md"
_ABOUT: Final = """\
# The sandbox cloud

<!-- Written by `python -m sandbox.reference`. -->

What it does not play, and what is known of each type by whom.
[How it works](../architecture.md#the-sandbox-cloud) and what a result stands on is told there."""

_TYPES: Final = """\
Every type of `pulumi-gcp` {version} can be made: its properties' names and types are checked by the
SDK. Of the types that the components use, or a row tells of, more is known: what is required,
allowed, defaulted and replaced, by the provider's schemas, or by the SDK's documentation alone;
from memory, the named columns of `sandbox/types/`
([explained there](../../sandbox/types/README.md)); and, where it *acts*, what it does to others."""
_KINDS: Final = """\
From memory are scope, names, references and what can't be changed of {count} kinds: {kinds}.
Objects of other definitions are taken as their schemas say."""


def page() -> str:
    """Return the page."""
    limits = yaml.safe_load(LIMITS.read_text(encoding="utf-8"))
    version = json.loads(VERSIONS.read_text(encoding="utf-8"))["pulumi-gcp"]
    kinds = sorted(known()["kinds"])
    parts = (
        _ABOUT,
        "## What it does not play",
        table(("what", "what tells instead"), [(each["what"], each["instead"]) for each in limits]),
        "## Types of Google Cloud",
        _TYPES.format(version=version),
        table(("module", "type", "by the provider", "from memory", "acts"), [*_types()]),
        "## Kinds of Kubernetes",
        _KINDS.format(count=len(kinds), kinds=", ".join(kinds)),
    )
    return "\n\n".join(parts) + "\n"


def _types() -> Iterator[Sequence[str]]:
    for token in known_types():
        module, name = token.split(":")[1].partition("/")[0], token.rpartition(":")[2]
        yield (
            module,
            name,
            "yes" if facts_of(token) is not None else "documentation alone",
            ", ".join(_columns().get((module, name), ())),
            "yes" if token in EFFECTS else "",
        )


@cache
def _columns() -> Mapping[tuple[str, str], Sequence[str]]:
    """Return the columns that say something of a type, by module and name."""
    return {
        (module, name): [key for key, value in vars(row).items() if value != getattr(Row(), key)]
        for module, service in services().items()
        for name, row in service.types.items()
    }


def _pages() -> Mapping[Path, str]:
    return {PAGE: page()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the page; return the exit code."""
    return kept("sandbox.reference", _pages, arguments)


if __name__ == "__main__":
    sys.exit(main())

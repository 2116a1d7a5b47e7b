"""Write the page of the faults that the sandbox can play: `python -m sandbox.faults.reference`."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import yaml

from catalog.pages import kept, table
from sandbox.faults.known import TABLE, Fault, Way, known

PAGE: Final = Path(__file__).parents[2] / "docs" / "reference" / "faults.md"
_ABOUT: Final = """\
# Faults

<!-- Written by `python -m sandbox.faults.reference`. -->

What the sandbox cloud can fail with, by [a plan](../faults.md).
As of {as_of}, from the sources that are named."""
_STRIKES: Final = {
    "request": "nothing is done",
    "answer": "it is done, the answer is lost",
    "waiting": "it is done, the provider stops waiting",
    "unready": "it is done and doesn't come to work",
}
_TYPES: Final = {
    "*": "any",
    "kubernetes:*": "any object",
    "long": "those with an operation of minutes",
    "made": "all of Google Cloud but grants and what may be made twice",
    "with-account": "those that name a service account",
    "in-use": "those that others use",
    "custom": "objects of a CustomResourceDefinition",
}


def page() -> str:
    """Return the page."""
    as_of = yaml.safe_load(TABLE.read_text(encoding="utf-8"))["as_of"]
    columns = ("fault", "what", "calls", "types", "what is done", "the provider", "a person")
    parts = [
        _ABOUT.format(as_of=as_of),
        table(columns, [_row(each) for each in known().values()]),
        "## Sources",
        table(("fault", "source"), [*_sources()]),
    ]
    return "\n\n".join(parts) + "\n"


def _row(fault: Fault) -> Sequence[str]:
    return (
        f"`{fault.name}`",
        fault.what,
        ", ".join(fault.verbs),
        ", ".join(_TYPES.get(each) or f"`{each}`" for each in fault.types),
        "; ".join(dict.fromkeys(_STRIKES[way.strikes] for way in fault.ways.values())),
        "; ".join(f"{package}: {_provider(way)}" for package, way in fault.ways.items()),
        fault.person or "runs it again",
    )


def _provider(way: Way) -> str:
    kept_ = "keeps it in the state" if way.left == "kept" else "fails"
    if way.retries is None:
        return kept_
    asked = way.retries
    limit = f"{asked.seconds / 60:.0f} minutes" if asked.seconds else f"{asked.requests} requests"
    return f"asks again for {limit}, then {kept_}"


def _sources() -> Iterator[Sequence[str]]:
    retries = {way.retries for each in known().values() for way in each.ways.values()}
    for asked in sorted((each for each in retries if each), key=lambda each: each.source):
        yield f"asked again after {asked.first:g} s, {asked.growth}", asked.source
    for each in known().values():
        yield f"`{each.name}`", each.source


def _pages() -> Mapping[Path, str]:
    return {PAGE: page()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the page; return the exit code."""
    return kept("sandbox.faults.reference", _pages, arguments)


if __name__ == "__main__":
    sys.exit(main())

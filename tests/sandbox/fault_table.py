"""Befall every call of dev and prod by every fault, and write the page of what comes of it:
`python -m tests.sandbox.fault_table [--check]`.

It brings both stacks up on the real engine first, and takes some minutes.
"""

import argparse
import io
import os
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, redirect_stdout
from pathlib import Path
from typing import Final

from catalog.by_type import short_name
from catalog.pages import table
from launcher.paths import ROOT
from sandbox.faults import known
from tests.sandbox.fault_drive import AGAIN, PROTECTED, RIDDEN, TAKEN, TWICE, Drive, Row
from tests.stacks import copy_of

PAGE: Final = ROOT / "docs" / "reference" / "fault-table.md"
STACKS: Final = ("dev", "prod")
VERBS: Final = ("create", "update", "delete")
OUTCOMES: Final = (RIDDEN, AGAIN, TAKEN, TWICE, PROTECTED)
_ABOUT: Final = """\
# What comes of each fault

<!-- Written by `make test-faults`. -->

Every create, update and delete of {stacks}, in turn, befallen by every [fault](faults.md) that can
befall it, and then the run again: {rows:,} rows, each with the wanted state reached, nothing in the
cloud twice or without a state, nothing protected lost. A row that ended otherwise would fail the
command, and there would be no page."""
_ENDINGS: Final = {
    RIDDEN: "the provider asks again by itself, and the run goes on",
    AGAIN: "the run fails and says why; `make up` or `make destroy` again does it",
    TAKEN: (
        "the next run is refused, as the cloud has it and the state doesn't know it; the message "
        "names it, and `make import` takes it over"
    ),
    TWICE: (
        "the provider's second request makes a second one, as the API chooses the id; the message "
        "names the one to delete"
    ),
    PROTECTED: "refused with or without the fault, until `deletion_protection: false`",
}


def drive(stack: str, shared: Path, folder: Path) -> list[Row]:
    """Return what came of each fault on each call of a stack."""
    folder.mkdir()
    made = copy_of(stack, shared, folder)
    drive = Drive.of(made.places.world, made.places.checkpoint, folder)
    with closing(drive.world):
        return drive.run()


def page(rows: Mapping[str, Sequence[Row]]) -> str:
    """Return the page of the rows, by stack."""
    every = [row for each in rows.values() for row in each]
    counted = Counter((row.verb, row.fault, row.outcome) for row in every)
    parts = [
        _ABOUT.format(stacks=" and ".join(rows), rows=len(every)),
        table(
            ("stack", "calls", "rows", *OUTCOMES),
            [_of_stack(name, each) for name, each in rows.items()],
        ),
        table(("outcome", "what that is"), list(_ENDINGS.items())),
        "## By fault",
        table(("fault", *VERBS), [(f"`{each}`", *_of_fault(each, counted)) for each in known()]),
        "Faults of types that neither stack has are not in it, though a plan can name them.",
        "## By type",
        table(("call", "ridden out", "run again", "by hand, then again", "types"), _by_type(every)),
    ]
    return "\n\n".join(parts) + "\n"


def _of_stack(name: str, rows: Sequence[Row]) -> Sequence[str]:
    outcomes = Counter(row.outcome for row in rows)
    calls = len({(row.type, row.name, row.verb) for row in rows})
    counts = (calls, len(rows), *(outcomes[each] for each in OUTCOMES))
    return (name, *(f"{each:,}" for each in counts))


def _of_fault(fault: str, counted: Mapping[tuple[str, str, str], int]) -> Iterator[str]:
    for verb in VERBS:
        found = ((each, counted.get((verb, fault, each), 0)) for each in OUTCOMES)
        yield "; ".join(f"{count:,} {each}" for each, count in found if count)


def _by_type(rows: Sequence[Row]) -> list[Sequence[str]]:
    """Return a line for each way in which the calls of some types end."""
    ways: dict[tuple[str, str], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        faults = ways[row.verb, row.type][row.outcome]
        if row.fault not in faults:
            faults.append(row.fault)
    lines: dict[tuple[str, ...], list[str]] = defaultdict(list)
    order = list(known())
    for (verb, token), outcomes in ways.items():
        named = {key: ", ".join(sorted(each, key=order.index)) for key, each in outcomes.items()}
        hand = "; ".join(
            f"{named[key]}{' (made twice)' if key == TWICE else ''}"
            for key in (TAKEN, TWICE)
            if key in named
        )
        lines[verb, named.get(RIDDEN, ""), named.get(AGAIN, ""), hand].append(_shown(token))
    return [
        (*line, ", ".join(sorted(types)))
        for line, types in sorted(lines.items(), key=lambda each: VERBS.index(each[0][0]))
    ]


def _shown(token: str) -> str:
    return short_name(token) if token.startswith("gcp:") else token.partition(":")[2]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page; return 1 where a fault isn't mended, or, with --check, the page is old."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.sandbox.fault_table", description=__doc__
    )
    parser.add_argument("--check", action="store_true", help="whether the page is as it should be")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="faults-") as base:
        shared = Path(base) / "shared"
        shared.mkdir()
        with redirect_stdout(io.StringIO() if "VERBOSE" not in os.environ else sys.stdout):
            rows = {each: drive(each, shared, Path(base) / each) for each in STACKS}
    for name, each in rows.items():
        print(f"{name}: {len(each):,} faults befell a call, and the wanted state was reached")
    written = page(rows)
    if not chosen.check:
        PAGE.write_text(written, encoding="utf-8")
        return 0
    if PAGE.read_text(encoding="utf-8") != written:
        print(f"{PAGE.relative_to(ROOT)} is old: run `make test-faults`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

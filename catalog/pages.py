"""Pages that a command writes, and tells of when they are old."""

import argparse
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path


def kept(
    command: str,
    pages: Callable[[], Mapping[Path, str]],
    arguments: Sequence[str] | None = None,
    *,
    stray: Callable[[], Collection[Path]] = tuple,
) -> int:
    """Write the pages, or with `--check` only tell which are old; return the exit code.

    `stray` gives files that are there, of which those without a page are removed. A ValueError of
    `pages` is told, and nothing is written.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {command}")
    parser.add_argument("--check", action="store_true", help="only tell which pages are old")
    check = parser.parse_args(arguments).check
    try:
        wanted = pages()
    except ValueError as problem:
        print(problem, file=sys.stderr)
        return 1
    old = [file for file, text in wanted.items() if not file.exists() or file.read_text() != text]
    old += sorted({*stray()} - {*wanted})
    for file in old:
        if check:
            print(f"{file}: not what the code says: run `python -m {command}`", file=sys.stderr)
        elif file in wanted:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(wanted[file], encoding="utf-8")
        else:
            file.unlink()
    return 1 if check and old else 0


def cell(text: str) -> str:
    """Return a text as a table's cell has it."""
    return " ".join(text.replace("|", r"\|").split())


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(map(cell, line))} |" for line in lines)

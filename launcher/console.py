"""What a person sees of a run: all of it is in a log file, and what matters stays on a terminal.

A terminal gets progress in one line that changes in place; VERBOSE=1 shows every line there too.
Elsewhere, as in a pipe, every line is printed as it comes.
"""

import os
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, TextIO

_CLEAR: Final = "\r\033[K"
_CUT: Final = " ..."
_FURTHER: Final = 4
_MAKE: Final = r"make(?: -C \S+)?(?: [A-Z_]+=\S+)* [a-z-]+(?: [A-Z_]+=\S+)*\S*"
_WHOLE: Final = re.compile(rf"\s*(?:`[^`]+`\S*|{_MAKE}|export \S+|\S+)")
"""A command, or else a word."""


class Console:
    """Standard output, or another stream, and the log file of a run."""

    def __init__(self, log: Path | None = None, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self.in_place = is_watched(self._out)
        self.log = log
        self._file: TextIO | None = None
        if log is not None:
            log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = log.open("w", encoding="utf-8")

    @property
    def width(self) -> int:
        """The columns that a line may take."""
        return width_of(self._out)

    def tell(self, text: str) -> None:
        """Show a text that matters."""
        self._note(text)
        shown = wrapped(text, self.width)
        print(f"{_CLEAR if self.in_place else ''}{shown}", file=self._out, flush=True)

    def detail(self, text: str) -> None:
        """Show a text that the log file is enough for, where nobody watches."""
        if self.in_place:
            self._note(text)
        else:
            self.tell(text)

    def status(self, text: str) -> None:
        """Show what is going on, in the place of what was shown before."""
        if self.in_place:
            print(f"{_CLEAR}{cut(text, self.width - 1)}", end="", file=self._out, flush=True)

    def muted(self, log: Path | None = None) -> "Console":
        """Return one that shows nothing of a run but how far it is, and keeps the rest in `log`."""
        return _Muted(log, self._out)

    def close(self) -> None:
        """Leave nothing of the status, and end the log."""
        self.status("")
        if self._file is not None:
            self._file.close()
            self._file = None

    def _note(self, text: str) -> None:
        if self._file is not None:
            print(text, file=self._file, flush=True)


class _Muted(Console):
    def tell(self, text: str) -> None:
        self._note(text)

    def detail(self, text: str) -> None:
        self._note(text)


def show(text: str, out: TextIO | None = None) -> None:
    """Print a text so that a terminal breaks no word of it; elsewhere as it is."""
    stream = out or sys.stdout
    print(wrapped(text, width_of(stream)), file=stream, flush=True)


def width_of(out: TextIO) -> int:
    """Return the columns that a line of a stream may take."""
    return shutil.get_terminal_size().columns if is_watched(out) else sys.maxsize


def wrapped(text: str, width: int) -> str:
    """Return a text whose long lines go on below, in the column of what is broken.

    What has no space stays whole, however long: an address must be there to copy. A command that
    fits in a line is in one, for the same.
    """
    return "\n".join(part for line in text.split("\n") for part in _parts(line, width))


def _parts(line: str, width: int) -> Iterator[str]:
    if len(line) <= width:
        yield line
        return
    indent = " " * _hanging(line, width)
    part = ""
    for word in _words(line, width - len(indent)):
        if part.strip() and len(part) + len(word) > width:
            yield part
            part = indent + word.lstrip()
        else:
            part += word
    yield part


def _words(line: str, width: int) -> Iterator[str]:
    """Yield what of a line stays whole, each with the spaces before it."""
    for words in _WHOLE.findall(line):
        if len(words.strip()) <= width or words.lstrip().startswith("export "):
            yield words
        else:
            yield from re.findall(r"\s*\S+", words)


def _hanging(line: str, width: int) -> int:
    """Return where the last column of a line begins, or a little further in than the line."""
    columns = [each.end() for each in re.finditer(r"\S {2,}(?=\S)", line)]
    last = columns[-1] if columns else width
    return last if last * 2 <= width else len(line) - len(line.lstrip()) + _FURTHER


def cut(line: str, width: int) -> str:
    """Return a line that isn't longer than `width`, cut between words where it can be."""
    if len(line) <= width:
        return line
    kept = line[: max(0, width - len(_CUT))]
    whole = kept.rpartition(" ")[0].rstrip()
    return f"{whole if len(whole) * 2 > width else kept}{_CUT}"


def aligned(rows: Sequence[Sequence[str]], left: int) -> Iterator[str]:
    """Yield a table's rows in columns as wide as they need: the first `left` of words, then those
    of numbers."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = zip(row, widths, strict=True)
        yield " ".join(
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(cells)
        ).rstrip()


def is_watched(out: TextIO) -> bool:
    """Return whether a person watches a stream, who has not asked for every line of it."""
    terminal = out.isatty() and os.environ.get("TERM") != "dumb"
    return terminal and not os.environ.get("VERBOSE")

"""What a person sees of a run: all of it is in a log file, and what matters stays on a terminal.

A terminal gets progress in one line that changes in place; VERBOSE=1 shows every line there too.
Elsewhere, as in a pipe, every line is printed as it comes.
"""

import os
import shutil
import sys
from pathlib import Path
from typing import Final, TextIO

_CLEAR: Final = "\r\033[K"
_CUT: Final = " ..."


class Console:
    """Standard output, or another stream, and the log file of a run."""

    def __init__(self, log: Path | None = None, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self.in_place = _is_terminal(self._out) and not os.environ.get("VERBOSE")
        self.log = log
        self._file: TextIO | None = None
        if log is not None:
            log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = log.open("w", encoding="utf-8")

    @property
    def width(self) -> int:
        """The columns that a line may take."""
        return shutil.get_terminal_size().columns if self.in_place else sys.maxsize

    def tell(self, text: str) -> None:
        """Show a text that matters."""
        self._note(text)
        shown = "\n".join(cut(line, self.width) for line in text.split("\n"))
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

    def muted(self) -> "Console":
        """Return one that shows nothing of a run but how far it is."""
        return _Muted(out=self._out)

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
        del text

    def detail(self, text: str) -> None:
        del text


def cut(line: str, width: int) -> str:
    """Return a line that isn't longer than `width`, cut between words where it can be."""
    if len(line) <= width:
        return line
    kept = line[: max(0, width - len(_CUT))]
    whole = kept.rpartition(" ")[0].rstrip()
    return f"{whole if len(whole) * 2 > width else kept}{_CUT}"


def _is_terminal(out: TextIO) -> bool:
    return out.isatty() and os.environ.get("TERM") != "dumb"

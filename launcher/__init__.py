"""The launcher: runs the real Pulumi engine against the sandbox cloud, or hands over to Pulumi."""

import sys
from types import TracebackType


def _end(kind: type[BaseException], problem: BaseException, trace: TracebackType | None, /) -> None:
    """Tell of Ctrl-C in a line: while libraries load, no command is there yet to do so."""
    if issubclass(kind, KeyboardInterrupt):
        print("interrupted", file=sys.stderr)
    else:
        sys.__excepthook__(kind, problem, trace)


sys.excepthook = _end

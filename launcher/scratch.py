"""Folders for as long as a run lasts; what killed runs left is removed by the next."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def scratch(prefix: str) -> Generator[Path]:
    """Yield a new folder among the temporary ones, after removing those whose run was killed.

    No other program has folders with that prefix. Raises OSError where none can be made.
    """
    for left in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        if (held := _taken(left)) is not None:
            shutil.rmtree(left, ignore_errors=True)
            os.close(held)
    folder, held = _new(prefix)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def _new(prefix: str) -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix))
        held = _taken(folder)
        # Another start may have taken it for one that was left.
        if held is not None and folder.exists():
            return folder, held
        if held is not None:
            os.close(held)


def _taken(folder: Path) -> int | None:
    """Return what holds a folder until it is closed, or its process ends; None where another
    holds it."""
    try:
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(opened)
        return None
    return opened

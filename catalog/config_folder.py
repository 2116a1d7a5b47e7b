"""Where an organisation keeps what is its own: stack files, policies, and files that they name."""

import os
from pathlib import Path
from typing import Final

VARIABLE: Final = "INFERENCE_CONFIG"
RELEASE: Final = Path(__file__).parents[1]
"""The folder of the program, which has samples of all that."""
MAKE: Final = "INFERENCE_MAKE"
"""How make was called, where that was with CONFIG=."""
CALLED: Final = "INFERENCE_CALLED"
"""Where make was called then."""


def config_folder() -> Path:
    """Return the folder that INFERENCE_CONFIG names, laid out as the program's; by default that.

    Raises NotADirectoryError for a name that means no folder, wherever it is read.
    """
    own = os.environ.get(VARIABLE)
    if not own:
        return RELEASE
    # The engine starts packs in their own folders: a relative path would mean another there.
    if not (folder := Path(own)).is_absolute() or not folder.is_dir():
        raise NotADirectoryError(
            f"{VARIABLE}: found {own!r}, allowed: the absolute path of a folder; make it, or give "
            "it to make as CONFIG=<folder>"
        )
    return folder


def make_command(words: str) -> str:
    """Return how the caller runs a target of the Makefile, given as in the program's own folder."""
    return f"{os.environ.get(MAKE, 'make')} {words}"

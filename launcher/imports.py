"""What a stack takes over: `import.<stack>.yaml`."""

import os
from collections.abc import Generator
from contextlib import contextmanager

from catalog.conventions import IMPORTS
from launcher.places import StackPlaces
from launcher.problem import LaunchError

_REPLACED = "unable to replace resource"


def name_imports(places: StackPlaces) -> None:
    """Let the programs that this process runs take over what the file names.

    Raises LaunchError if there is no such file.
    """
    if not places.imports.exists():
        raise LaunchError(
            f"there is no {places.imports.name}: name in it what is to be taken over, by type, by "
            "name in the program and by id, as docs/existing.md has it"
        )
    os.environ[IMPORTS] = str(places.imports)


@contextmanager
def importing(places: StackPlaces) -> Generator[None]:
    """Let programs take over what the file names, until the block ends.

    Raises LaunchError if there is no such file, and says what to do where the engine refuses.
    """
    name_imports(places)
    try:
        yield
    except LaunchError as problem:
        if _REPLACED not in str(problem):
            raise
        raise LaunchError(
            f"{problem}\nwhat {places.imports.name} names differs from the program in what can't "
            "be changed in place, see above: make the stack file fit it, or leave it out"
        ) from problem
    finally:
        del os.environ[IMPORTS]

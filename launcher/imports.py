"""What a stack takes over: `import.<stack>.yaml`."""

import os
import re
from collections.abc import Generator
from contextlib import contextmanager

from catalog.conventions import IMPORTS
from launcher.paths import StackPaths
from launcher.problem import LaunchError

_REPLACED = re.compile(r"^  - (\S+): unable to replace resource", re.MULTILINE)


def name_imports(places: StackPaths) -> None:
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
def importing(places: StackPaths) -> Generator[None]:
    """Let programs take over what the file names, until the block ends.

    Raises LaunchError if there is no such file, and says what to do where the engine refuses.
    """
    name_imports(places)
    try:
        yield
    except LaunchError as problem:
        names = _REPLACED.findall(str(problem))
        if not names:
            raise
        raise LaunchError(
            f"{places.imports.name}: {', '.join(names)}: found what differs from the program in "
            "what can't be changed in place (± above); allowed: what is not replaced; make the "
            "stack file fit it, name what it is in as well, or leave it out; nothing was changed"
        ) from problem
    finally:
        del os.environ[IMPORTS]

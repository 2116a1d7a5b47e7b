"""Secrets as files: a folder of this machine in place of the ones a container would see.

A process can't have a file system of its own without more rights than a user has. So variables
whose value is such a file or folder name the one here; a path in a program's code leads nowhere.
"""

import shutil
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from emulator.runtime.secrets import MissingSecretError


@dataclass(frozen=True)
class Mounts:
    """Files below `folder`, each by the absolute path a container sees."""

    folder: Path
    files: Mapping[str, str]

    def seen_by(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return the environment, with paths of mounted files and their folders as they are
        here."""
        known = {
            str(path) for file in self.files for path in (PurePosixPath(file), *_folders_of(file))
        }
        return {
            name: str(self.place(value)) if value.rstrip("/") in known else value
            for name, value in environment.items()
        }

    def renew(self, reads: Mapping[str, Callable[[], str]]) -> None:
        """Let each file be what it reads now: a mounted secret is fetched when it is read, and
        can't be read while its version is disabled.

        https://cloud.google.com/run/docs/configuring/services/secrets
        """
        for path, read in reads.items():
            place = self.place(path)
            try:
                content = read()
            except MissingSecretError:
                place.unlink(missing_ok=True)
                continue
            if not place.exists() or place.read_text() != content:
                place.touch(mode=0o600)
                place.write_text(content)

    def place(self, path: str) -> Path:
        """Return where a path of the container is here."""
        return self.folder / path.strip("/")


def _folders_of(file: str) -> list[PurePosixPath]:
    """Return the folders above a file but the topmost."""
    return [*PurePosixPath(file).parents][:-1]


@contextmanager
def mounted(folder: Path, files: Mapping[str, str]) -> Generator[Mounts]:
    """Write the files, for their owner alone, until the block ends."""
    shutil.rmtree(folder, ignore_errors=True)
    mounts = Mounts(folder, files)
    try:
        for path, content in files.items():
            place = mounts.place(path)
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            place.touch(mode=0o600)
            place.write_text(content)
        yield mounts
    finally:
        shutil.rmtree(folder, ignore_errors=True)

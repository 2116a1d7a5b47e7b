"""What an image starts, of those that services/Dockerfile builds."""

import re
import sys
from pathlib import Path, PurePosixPath
from typing import Final

SERVICES = Path(__file__).parents[2] / "services"
_PYTHONS: Final = ("python", "python3")


class ImageError(LookupError):
    """An image that isn't built from a folder of services/; names the images that are."""


def folder_of(image: str) -> str:
    """Return the folder in services/ an image is built from: the last part of its path.

    Raises ImageError when there is none.
    """
    name = re.split(r"[:@]", image.rpartition("/")[2])[0].replace("-", "_")
    if not (SERVICES / name / "requirements.in").exists():
        known = sorted(file.parent.name for file in SERVICES.glob("*/requirements.in"))
        raise ImageError(
            f"found image {image}, and there is no services/{name}; allowed here: images whose "
            f"last part is {' or '.join(known)}, which run from the code in services/"
        )
    return name


def command_of(folder: str) -> list[str]:
    """Return what the image of a service starts, with this environment's Python."""
    return [sys.executable, "-m", f"services.{folder}"]


def local(words: list[str]) -> list[str]:
    """Return a command of an image as it is on this machine."""
    is_python = words[:1] and PurePosixPath(words[0]).name in _PYTHONS
    return [sys.executable, *words[1:]] if is_python else words

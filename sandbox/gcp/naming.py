"""Deterministic stand-ins for what Google makes up: project numbers, hashes, long numeric ids."""

import hashlib
import re
from typing import Final

_API: Final = re.compile(r"^(https?:)?//[\w.-]+googleapis\.com/((\w+/)?v\d\w*/)?")
_NUMBERED: Final = re.compile(r"^/?projects/")


def digits(seed: str, count: int) -> str:
    """Return `count` decimal digits that do not begin with a zero."""
    number = int(hashlib.sha256(seed.encode()).hexdigest(), 16) % 10**count
    return str(number + 10 ** (count - 1) if number < 10 ** (count - 1) else number)


def hex_digits(seed: str, count: int = 8) -> str:
    """Return `count` (up to 64) hexadecimal digits."""
    return hashlib.sha256(seed.encode()).hexdigest()[:count]


def project_number(project: str) -> str:
    """Return the 12 digit number of a project id."""
    return digits(f"project:{project}", 12)


def relative_name(text: str) -> str:
    """Return `projects/p/...` for any spelling: self link, full resource name, leading slash.

    Text that is no resource name comes back as it is.
    """
    stripped = _API.sub("", text)
    return stripped.removeprefix("/") if _NUMBERED.match(stripped) else stripped


def project_of(text: str, otherwise: str) -> str:
    """Return the project of a resource name, `otherwise` of one that says none."""
    parts = relative_name(text).split("/")
    return parts[1] if parts[0] == "projects" and len(parts) > 1 else otherwise


def last_segment(text: str) -> str:
    """Return the short name at the end of a resource name."""
    return text.rstrip("/").rsplit("/", 1)[-1]

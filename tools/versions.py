"""Reads the versions that set-up needs from the one place that pins them: requirements.txt."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements.txt"


def requirement(package: str) -> str:
    """Return the lines of requirements.txt that pin `package` and its hashes.

    Raises LookupError if the package isn't pinned there.
    """
    pattern = re.compile(rf"^{re.escape(package)}==\S+.*\n(?:[ \t]+--hash=.*\n?)*", re.MULTILINE)
    found = pattern.search(REQUIREMENTS.read_text())
    if found is None:
        raise LookupError(f"{REQUIREMENTS.name} does not pin {package}")
    return found.group()


def pinned(package: str) -> str:
    """Return the exact version that requirements.txt pins for `package`.

    Raises LookupError if the package isn't pinned there.
    """
    return requirement(package).split("==")[1].split()[0].rstrip(";")

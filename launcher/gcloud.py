"""What the Google Cloud CLI prints."""

import json
import subprocess
from typing import Any, cast


def printed(*words: str) -> str | None:
    """Return what a command of gcloud prints, None where it fails."""
    try:
        done = subprocess.run(["gcloud", *words], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout if done.returncode == 0 else None


def one(*words: str) -> dict[str, Any] | None:
    """Return the one thing that a command prints, None where it fails."""
    found = printed(*words, "--format=json")
    return None if found is None else cast("dict[str, Any]", json.loads(found or "{}"))


def several(*words: str) -> list[dict[str, Any]] | None:
    """Return the things that a command prints, None where it fails."""
    found = printed(*words, "--format=json")
    return None if found is None else cast("list[dict[str, Any]]", json.loads(found or "[]"))

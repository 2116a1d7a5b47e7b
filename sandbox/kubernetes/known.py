"""What is known of the kinds of Kubernetes: `sandbox/kubernetes.yaml`."""

from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from sandbox.kubernetes.objects import Kind

_FILE: Final = Path(__file__).parents[1] / "kubernetes.yaml"


@cache
def known() -> dict[str, Any]:
    """Return the whole table; treat it as read-only."""
    return yaml.load(_FILE.read_text(encoding="utf-8"), yaml.CSafeLoader)


def row(kind: Kind) -> dict[str, Any]:
    """Return the row of a kind; an empty one where nothing is known."""
    return known()["kinds"].get(kind.name, {})

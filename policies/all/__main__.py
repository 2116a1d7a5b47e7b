"""Starts the rules of every pack in one process; they are in `policies/rules`."""

import sys
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(_FOLDER.parents[1]))

from policies.rules.packs import start  # noqa: E402  (the path above makes it importable)

start(_FOLDER)

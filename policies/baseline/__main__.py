"""Serves the policy pack of this folder; its rules are in `policies/rules`."""

import sys
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(_FOLDER.parents[1]))

from policies.engine.server import serve  # noqa: E402  (the path above makes it importable)

serve(_FOLDER)

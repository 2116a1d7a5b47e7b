"""Where files are that the config names."""

from pathlib import Path
from typing import Final

PROJECT_FOLDER: Final = Path(__file__).parents[1]
"""Their paths begin here."""

"""The name that what the platform has once is made of."""

from typing import Final

PLATFORM: Final = "inference"

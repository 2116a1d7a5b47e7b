"""Kubernetes quantities, such as 500m, 2 or 16Gi."""

import re
from collections.abc import Mapping
from typing import Final

from catalog.conventions import GPUS, TPUS
from resources.properties import MISSING, UNKNOWN, Absence, number, text

_QUANTITY: Final = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)(m|[KMGTP]i?|k)?")
_FACTORS: Final[Mapping[str, float]] = {
    "m": 1e-3,
    "k": 1e3,
    "K": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "P": 1e15,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
    "Pi": 2**50,
}


def quantity(value: object, *path: str | int) -> float | Absence:
    """Return the quantity at `path`, in cores, bytes or pieces; what is none counts as unknown."""
    plain = number(value, *path)
    if plain is not UNKNOWN:
        return plain
    found = text(value, *path)
    match = _QUANTITY.fullmatch(found) if isinstance(found, str) else None
    return float(match[1]) * _FACTORS.get(match[2] or "", 1.0) if match else UNKNOWN


def accelerators(container: object) -> float | Absence:
    """Return the GPUs or chips of TPUs that a container of Kubernetes asks for."""
    found = [quantity(container, "resources", "limits", each) for each in (GPUS, TPUS)]
    return next((each for each in found if each is not MISSING), MISSING)

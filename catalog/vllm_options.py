"""Options of vLLM's server, of the release in use, and what a value of each may be."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from catalog.table import read

Value = str | bool | int | float

_SHAPES = {
    "integer": (re.compile(r"-?[0-9]+"), "a whole number"),
    "number": (re.compile(r"-?[0-9]+(\.[0-9]*)?(e-?[0-9]+)?"), "a number"),
    "amount": (re.compile(r"-?[0-9]+(\.[0-9]+)?([kKmMgGtT]i?)?"), "a number such as 8192 or 8k"),
    "json": (re.compile(r"[\[{].*[\]}]", re.DOTALL), "a JSON document"),
}


@dataclass(frozen=True)
class Option:
    """What an option takes: its kind, as the data file names it, and the values it is held to."""

    kind: str
    choices: tuple[str, ...] = ()

    def allowed(self, value: Value) -> str | None:
        """Say what is allowed when `value` is not; None when it is."""
        if self.kind == "switch":
            return None if isinstance(value, bool) else "true or false"
        if self.kind == "flag":
            return None if value is True else "true, or leave it out"
        if isinstance(value, bool):
            return f"a value ({self.kind}), as it is no switch"
        if self.choices and str(value).lower().replace("-", "_") not in self.choices:
            return ", ".join(self.choices)
        shape, said = _SHAPES.get(self.kind, (re.compile(".*", re.DOTALL), ""))
        return None if shape.fullmatch(str(value)) else said


_document = read("vllm_options.yaml")
_kinds = cast("Mapping[str, str]", _document["kinds"])
_choices = cast("Mapping[str, str]", _document["choices"])

VERSION = str(_document["version"])
OPTIONS: Mapping[str, Option] = {
    name: Option(kind, tuple(_choices.get(name, "").split()))
    for kind, names in _kinds.items()
    for name in names.split()
}


def alike(name: str) -> str:
    """Return the known options most like an unknown one, or where all are told."""
    found = difflib.get_close_matches(name, OPTIONS, n=3, cutoff=0.7)
    return ", ".join(found) or f"the options of vLLM {VERSION} (`vllm serve --help=all`)"

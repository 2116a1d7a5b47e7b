"""Options of vLLM's server, of the release in use, and what a value of each may be."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from catalog.table import read

Value = str | bool | int | float

_WHOLE = (re.compile(r"-?[0-9]+"), "a whole number")
_SHAPES = {
    "integer": _WHOLE,
    "integers": _WHOLE,
    "number": (re.compile(r"-?[0-9]+(\.[0-9]*)?(e-?[0-9]+)?"), "a number"),
    # Small letters are powers of 1000, large ones of 1024.
    "amount": (
        re.compile(r"-?[0-9]+|[0-9]+(\.[0-9]+)?[kmgt]|[0-9]+[KMGT]"),
        "a number such as 8192, 8k or 8K",
    ),
}
_DOCUMENTS: dict[str, tuple[type | tuple[type, ...], str]] = {
    "object": (dict, "a JSON object"),
    "either": (dict, "text without braces, or a JSON object"),
    "json": ((dict, list), "a JSON document"),
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
        written = str(value)
        if self.kind == "word":
            written = written.lower().replace("-", "_")
        if self.choices and written not in self.choices:
            return ", ".join(self.choices)
        if self.kind == "either" and not re.fullmatch(r"\s*\{.*\}\s*", written, re.DOTALL):
            return None
        if self.kind in _DOCUMENTS:
            wanted, said = _DOCUMENTS[self.kind]
            return None if isinstance(_document_of(written), wanted) else said
        shape, said = _SHAPES.get(self.kind, (re.compile(".*", re.DOTALL), ""))
        return None if shape.fullmatch(written) else said


def _document_of(text: str) -> object:
    """Return the JSON that a text is; None where it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return None


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

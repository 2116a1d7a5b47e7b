"""Redaction: what of a text is not kept, by its form."""

import re
from collections.abc import Mapping
from typing import Final

_FORMS: Final[Mapping[str, re.Pattern[str]]] = {
    "KEY": re.compile(
        r"\b(?:sk-|hf_|ghp_|AIza|ya29\.)[\w-]{16,}|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"
    ),
    "EMAIL": re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    "IBAN": re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b"),
    "CARD": re.compile(r"\b\d(?:[ -]?\d){12,18}\b"),
    "SSN": re.compile(r"\b\d{3}-\d{2}-\d{4}\b"),
    "ADDRESS": re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b"),
    "PHONE": re.compile(r"\+\d[\d ()-]{7,17}\d|\(\d{3}\) ?\d{3}-\d{4}|\b\d{3}-\d{3}-\d{4}\b"),
}
"""In the order they are looked for. Names and streets have no form: who keeps texts keeps those."""


def redacted(text: str) -> str:
    """Return the text with `[EMAIL]` and its like in the place of what has such a form."""
    for name, form in _FORMS.items():
        text = form.sub(f"[{name}]", text)
    return text

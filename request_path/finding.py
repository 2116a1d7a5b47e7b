"""What a check found."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

import yaml

from request_path.objects import NamedObject

NOTES: Final = frozenset({"callers-unchecked", "no-outlier-detection", "unscreened"})
"""Codes of what someone chose and a reader should know."""


class Check(Enum):
    """The truths that are checked, by the name of the policy rule that enforces them."""

    GUARDED = "ai-guardrail-on-every-path"
    UNAMBIGUOUS = "ai-routes-unambiguous"
    REACHABLE = "ai-models-reachable"


_TABLE: Final[Mapping[str, Mapping[str, str]]] = yaml.safe_load(
    Path(__file__).with_name("findings.yaml").read_text(encoding="utf-8")
)
_SENTENCES: Final = {
    name: (Check(rule), sentence)
    for rule, sentences in _TABLE.items()
    for name, sentence in sentences.items()
}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong or, as a note, that someone chose and a reader should know."""

    check: Check
    code: str
    """What is wrong, as a short constant text."""
    subject: NamedObject
    sentence: str
    """What was found, with `{}` for each value."""
    values: tuple[object, ...] = ()
    unscreened: frozenset[str] = frozenset()
    """The model names that go unscreened, where this says nothing else."""
    note: bool = False

    def text(self, show: Callable[[object], str] = str) -> str:
        """Return the finding in words; `show` writes the values that aren't names of objects."""
        return self.sentence.format(
            *(
                value.label if isinstance(value, NamedObject) else show(value)
                for value in self.values
            )
        )

    def is_met_by(self, unscreened: frozenset[str]) -> bool:
        """Return whether it says no more than that models go unscreened which may."""
        return bool(self.unscreened) and self.unscreened <= unscreened

    def line(self) -> str:
        """Return the finding with the object it is about."""
        return f"{self.subject.label}: {self.text()}"


def finding(
    name: str,
    subject: NamedObject,
    *values: object,
    check: Check | None = None,
    unscreened: frozenset[str] = frozenset(),
) -> Finding:
    """Return a finding of findings.yaml by its name; `check` is another than its own."""
    own, sentence = _SENTENCES[name]
    code = name.partition("/")[0]
    return Finding(check or own, code, subject, sentence, values, unscreened, note=code in NOTES)

"""What a check found."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from request_path.objects import NamedObject


class Check(Enum):
    """The truths that are checked, by the name of the policy rule that enforces them."""

    GUARDED = "ai-guardrail-on-every-path"
    UNAMBIGUOUS = "ai-routes-unambiguous"
    REACHABLE = "ai-models-reachable"


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

    def line(self) -> str:
        """Return the finding with the object it is about."""
        return f"{self.subject.label}: {self.text()}"

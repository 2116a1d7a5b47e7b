"""The error of a config that cannot be used."""

from collections.abc import Sequence
from typing import Final

from catalog.problems import Problem
from catalog.words import plural

_MOST_LINES: Final = 100


class ConfigError(ValueError):
    """A config that cannot be used. Its text is the whole message: a line for each problem."""

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        lines = [f"{source}: {problem}" for problem in self.problems[:_MOST_LINES]]
        if more := len(self.problems) - len(lines):
            lines.append(f"{source}: {plural(more, 'more problem')}")
        super().__init__("\n".join(lines))

"""The error of a config that cannot be used."""

from collections.abc import Sequence

from catalog.problems import KeyPath, Problem, did_you_mean, listed, shown, shown_path


class ConfigError(ValueError):
    """A config that cannot be used. Its text is the whole message, one line for each problem."""

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{source}: {problem}" for problem in self.problems))


__all__ = ["ConfigError", "KeyPath", "Problem", "did_you_mean", "listed", "shown", "shown_path"]

"""Arguments of the programs behind the make targets, and mistakes in them in make's words."""

import argparse
import re
import sys
from typing import Final, NoReturn

from launcher.console import show

_OF: Final = re.compile(r"argument --(?P<word>[a-z-]+): (?P<what>.+)", re.DOTALL)
_CHOICE: Final = re.compile(r"invalid choice: (?P<found>.+) \(choose from (?P<allowed>.+)\)")
_NUMBER: Final = re.compile(r"invalid (?:int|float) value: (?P<found>.+)")


class Parser(argparse.ArgumentParser):
    """A parser that tells a mistake as make's variable, what was found and what is allowed."""

    def error(self, message: str) -> NoReturn:
        """End with exit code 2."""
        show(f"error: {_in_words_of_make(message)}", sys.stderr)
        sys.exit(2)


def _in_words_of_make(message: str) -> str:
    of = _OF.fullmatch(message)
    if of is None:
        return message
    variable = of["word"].upper().replace("-", "_")
    if choice := _CHOICE.fullmatch(of["what"]):
        allowed = choice["allowed"].replace("'", "")
        return f"{variable}: found {choice['found']}; allowed: {allowed}"
    if number := _NUMBER.fullmatch(of["what"]):
        return f"{variable}: found {number['found']}; allowed: a number"
    return f"{variable}: {of['what']}"

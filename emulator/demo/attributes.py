"""Attributes that a subscription's filter lets through, and such that it holds back."""

import itertools
import json
import re
from collections.abc import Iterator, Mapping

from catalog.message_filter import parse_filter

Attributes = Mapping[str, str]

_TEXT = r'"(?:[^"\\]|\\.)*"'
_KEY = re.compile(rf"attributes\s*[.:]\s*({_TEXT}|[A-Za-z0-9_-]+)")
_MOST_TRIES = 5000


def let_through_and_held_back(text: str) -> tuple[Attributes | None, Attributes | None]:
    """Return the fewest attributes a filter lets through, and the fewest it holds back.

    None where there are no such attributes, or none are found among the filter's own words.
    """
    matches = parse_filter(text)
    through: Attributes | None = None
    held: Attributes | None = None
    for attributes in itertools.islice(_candidates(text), _MOST_TRIES):
        if matches(attributes):
            through = attributes if through is None else through
        elif held is None:
            held = attributes
        if through is not None and held is not None:
            break
    return through, held


def _candidates(text: str) -> Iterator[Attributes]:
    """Yield every choice of the filter's keys with its values, few keys first."""
    keys = list(dict.fromkeys(_plain(key) for key in _KEY.findall(text)))
    values = [_plain(value) for value in re.findall(_TEXT, text)] or ["demo"]
    for count in range(len(keys) + 1):
        for chosen in itertools.combinations(keys, count):
            for given in itertools.product([*dict.fromkeys(values), "none of these"], repeat=count):
                yield dict(zip(chosen, given, strict=True))


def _plain(word: str) -> str:
    return str(json.loads(word)) if word.startswith('"') else word

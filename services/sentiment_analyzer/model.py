"""The classifier: VADER, a lexicon with rules that comes whole in its package.

Nothing is downloaded or trained, and it answers in under a millisecond without a GPU. Figures are
in README.md; tests/services measures them again.
"""

import math
import re
from collections.abc import Mapping
from importlib.metadata import version
from statistics import fmean
from typing import Literal, NamedTuple, Protocol, cast

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

Label = Literal["positive", "neutral", "negative"]

MODEL_VERSION = f"vader-{version('vaderSentiment')}"
_THRESHOLD = 0.05
"""The authors' own: https://github.com/cjhutto/vaderSentiment#about-the-scoring"""


LONGEST_PIECE = 1000
"""Characters. VADER's time grows with the square of a text's words, and is made for sentences."""
_PIECE = re.compile(rf"\S.{{0,{LONGEST_PIECE - 1}}}(?=\s|\Z)|\S{{1,{LONGEST_PIECE}}}", re.DOTALL)


class Sentiment(NamedTuple):
    """What the classifier says of a text."""

    label: Label
    score: float
    """-1, most negative, to 1, most positive."""


class _Analyzer(Protocol):
    emojis: Mapping[str, str]
    """What each says in words."""
    lexicon: Mapping[str, float]

    def polarity_scores(self, text: str) -> dict[str, float]: ...


class Classifier:
    """Loads the lexicon once; safe to use from many threads."""

    version = MODEL_VERSION

    def __init__(self) -> None:
        self._analyzer = cast("_Analyzer", SentimentIntensityAnalyzer())

    def knows(self, word: str) -> bool:
        """Return whether a word in lower case says something to the classifier."""
        return word in self._analyzer.lexicon

    def polarity(self, text: str) -> Mapping[str, float]:
        """Return VADER's scores of any text, the mean of a long one's pieces."""
        pieces = pieces_of(text, self._analyzer.emojis)
        scores = [self._analyzer.polarity_scores(piece) for piece in pieces]
        return {key: fmean(each[key] for each in scores) for key in ("compound", "pos", "neg")}

    def classify(self, text: str) -> Sentiment:
        """Return the sentiment of any text, the mean of a long one's pieces; of none, neutral."""
        score = round(self.polarity(text)["compound"], 4)
        if math.isnan(score):
            raise ValueError("the classifier gave no number")
        if score >= _THRESHOLD:
            return Sentiment("positive", score)
        return Sentiment("negative" if score <= -_THRESHOLD else "neutral", score)


def pieces_of(text: str, emojis: Mapping[str, str]) -> list[str]:
    """Return the whole text, or where that is long, with its emojis spelt out, its pieces."""
    if len(text) + sum(len(emojis.get(each, "")) for each in text) <= LONGEST_PIECE:
        return [text]
    spelt = "".join(f" {emojis[each]} " if each in emojis else each for each in text)
    return _PIECE.findall(spelt) or [""]

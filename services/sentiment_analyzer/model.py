"""The classifier: VADER, a lexicon with rules that comes whole in its package.

Nothing is downloaded or trained, and it answers in under a millisecond without a GPU. Figures are
in README.md; tests/services measures them again.
"""

import math
from importlib.metadata import version
from typing import Literal, NamedTuple, Protocol, cast

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

Label = Literal["positive", "neutral", "negative"]

MODEL_VERSION = f"vader-{version('vaderSentiment')}"
_THRESHOLD = 0.05
"""The authors' own: https://github.com/cjhutto/vaderSentiment#about-the-scoring"""


class Sentiment(NamedTuple):
    """What the classifier says of a text."""

    label: Label
    score: float
    """-1, most negative, to 1, most positive."""


class _Analyzer(Protocol):
    def polarity_scores(self, text: str) -> dict[str, float]: ...


class Classifier:
    """Loads the lexicon once; safe to use from many threads."""

    def __init__(self) -> None:
        self._analyzer = cast("_Analyzer", SentimentIntensityAnalyzer())

    def classify(self, text: str) -> Sentiment:
        """Gives the sentiment of any text; an empty one is neutral."""
        score = self._analyzer.polarity_scores(text)["compound"]
        if math.isnan(score):
            raise ValueError("the classifier gave no number")
        if score >= _THRESHOLD:
            return Sentiment("positive", score)
        return Sentiment("negative" if score <= -_THRESHOLD else "neutral", score)

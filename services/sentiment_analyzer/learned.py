"""The learned classifier: logistic regression over VADER's scores, words and pairs of words.

It is a JSON document that services/sentiment_trainer makes; here is what reads it, and what both
take from a text. Pure Python: no numbers library is loaded, and the same document says the same
everywhere.
"""

import hashlib
import itertools
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol

from services.sentiment_analyzer.model import Classifier, Label, Sentiment

LABELS: Final[tuple[Label, ...]] = ("negative", "neutral", "positive")
_FORMAT = "sentiment-words-1"
_WORD = re.compile(r"[a-z']+|[!?]")
_WORD_VALUE = 0.35
"""Of a word that is there: a score of VADER is worth about three."""
_STEPS = (-0.6, -0.3, -0.05, 0.05, 0.3, 0.6)
"""Of VADER's score, whose meaning is no straight line."""

Features = Mapping[str, float]


class SentimentClassifier(Protocol):
    """What classifies."""

    version: str

    def classify(self, text: str) -> Sentiment:
        """Return the sentiment of any text."""
        ...

    def knows(self, word: str) -> bool:
        """Return whether a word says something to the classifier."""
        ...


class ModelError(ValueError):
    """A document that is no model."""


def words_of(text: str) -> Sequence[str]:
    """Return the words of a text, and its marks of emphasis."""
    return _WORD.findall(text.lower())


def known_share(classifier: SentimentClassifier, text: str) -> float:
    """Return the share of a text's words that the classifier knows: of none, all."""
    words = words_of(text)
    return sum(map(classifier.knows, words)) / len(words) if words else 1.0


def features_of(text: str, lexicon: Classifier) -> Features:
    """Return what is seen of a text, by name; names of words have no sign `<`."""
    scores, words = lexicon.polarity(text), words_of(text)
    compound = scores["compound"]
    found = {f"<{key}>": value for key, value in scores.items()}
    found |= {"<any>": 1.0, "<strength>": abs(compound), "<silent>": float(compound == 0)}
    found |= {f"<above {step}>": float(compound > step) for step in _STEPS}
    pairs = (f"{one} {next_one}" for one, next_one in itertools.pairwise(words))
    return {**found, **dict.fromkeys([*words, *pairs], _WORD_VALUE)}


def shares(found: Iterable[tuple[Sequence[float], float]]) -> tuple[float, float, float]:
    """Return the probability of each of LABELS, of weights with the values of their features."""
    one = two = three = 0.0
    for row, value in found:
        one += value * row[0]
        two += value * row[1]
        three += value * row[2]
    largest = max(one, two, three)
    one, two, three = (math.exp(each - largest) for each in (one, two, three))
    whole = one + two + three
    return one / whole, two / whole, three / whole


class LearnedClassifier:
    """Reads the document once; safe to use from many threads."""

    def __init__(self, document: bytes, lexicon: Classifier) -> None:
        """Raise ModelError for a document that is no model."""
        self.digest = digest_of(document)
        self.version = version_of(self.digest)
        self._lexicon = lexicon
        try:
            content = json.loads(document)
            if content["format"] != _FORMAT:
                raise ModelError(f"found format {content['format']!r}, allowed: {_FORMAT}")
            self._weights: Mapping[str, Sequence[float]] = {
                name: [float(value) for value in row] for name, row in content["weights"].items()
            }
        except (KeyError, TypeError, ValueError, AttributeError) as problem:
            raise ModelError(f"{self.digest} is no model: {problem}") from problem

    def knows(self, word: str) -> bool:
        """Return whether it has learned something of a word in lower case."""
        return word in self._weights

    def classify(self, text: str) -> Sentiment:
        """Return the likeliest label, and by how much positive is likelier than negative."""
        seen = features_of(text, self._lexicon).items()
        weights = self._weights
        found = shares((weights[name], value) for name, value in seen if name in weights)
        label = LABELS[found.index(max(found))]
        return Sentiment(label, round(found[2] - found[0], 4))


def document_of(weights: Mapping[str, Sequence[float]]) -> bytes:
    """Return a model's document: the same weights give the same bytes."""
    rounded = {name: [round(value, 4) for value in row] for name, row in sorted(weights.items())}
    return json.dumps(
        {"format": _FORMAT, "weights": rounded}, separators=(",", ":"), ensure_ascii=False
    ).encode()


def digest_of(document: bytes) -> str:
    """Return `sha256:<hex>` of a document."""
    return f"sha256:{hashlib.sha256(document).hexdigest()}"


def version_of(digest: str) -> str:
    """Return the name of the version with a digest."""
    return f"learned-{digest.removeprefix('sha256:')[:12]}"

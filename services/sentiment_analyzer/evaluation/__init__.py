"""How good the classifier is: `python -m services.sentiment_analyzer.evaluation`.

reviews.tsv holds 1,000 sentences of product reviews, each with the mean of 20 people's ratings from
-4 to 4: drawn at random (seed 2014) from the 3,708 that came with the paper of the classifier's
authors, inside the source distribution of vaderSentiment 3.3.2 (MIT licence). The lexicon was made
from ratings of single words, not from these sentences.
Hutto & Gilbert, VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social Media Text,
ICWSM 2014.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from services.sentiment_analyzer.learned import SentimentClassifier
from services.sentiment_analyzer.model import Label

_REVIEWS = Path(__file__).with_name("reviews.tsv")
_NEUTRAL = 0.5
"""People's mean ratings nearer to 0 count as neutral."""


def reviews(file: Path = _REVIEWS) -> Iterator[tuple[Label, str]]:
    """Yield each sentence with the label people gave it."""
    for line in file.read_text(encoding="utf-8").splitlines():
        rating, _, text = line.partition("\t")
        value = float(rating)
        if value >= _NEUTRAL:
            yield "positive", text
        else:
            yield "negative" if value <= -_NEUTRAL else "neutral", text


def measure(classifier: SentimentClassifier) -> Mapping[str, float]:
    """Return the accuracy, that without the neutral of either side, and each label's recall."""
    pairs = [(wanted, classifier.classify(text).label) for wanted, text in reviews()]
    polar = [(wanted, got) for wanted, got in pairs if "neutral" not in (wanted, got)]
    labels = ("positive", "neutral", "negative")
    return {
        "accuracy": _share(pairs),
        "polarity": _share(polar),
        **{label: _share([pair for pair in pairs if pair[0] == label]) for label in labels},
    }


def _share(pairs: Sequence[tuple[str, str]]) -> float:
    return sum(wanted == got for wanted, got in pairs) / max(len(pairs), 1)

"""Drift: how far what comes in and what is predicted are from what a version was measured on.

By the population stability index, the sum of (p - q) ln(p / q) over the shares of both: up to 0.1
nothing has changed, beyond 0.25 much has.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from services.sentiment_analyzer.learned import LABELS, SentimentClassifier, known_share

_LEAST_SHARE = 0.005
"""In the place of none, whose logarithm there isn't."""
_STEPS: Final = ("0", "0.25", "0.5", "0.75")
"""Where the ranges of the share of known words begin."""

Profile = Mapping[str, Mapping[str, float]]
"""Shares of the values of each measure, which are `labels` (what is predicted) and `known_words`
(what comes in)."""


def profile_of(seen: Iterable[tuple[str, float]]) -> Profile:
    """Return the profile of labels, each with the share of words that were known."""
    pairs = list(seen)
    labels = Counter(label for label, _ in pairs)
    known = Counter(max(step for step in _STEPS if float(step) <= share) for _, share in pairs)
    return {
        "labels": {label: labels[label] / len(pairs) for label in LABELS},
        "known_words": {step: known[step] / len(pairs) for step in _STEPS},
    }


def profile_on(classifier: SentimentClassifier, texts: Sequence[str]) -> Profile:
    """Return the profile of what a version makes of texts."""
    return profile_of(
        (classifier.classify(text).label, known_share(classifier, text)) for text in texts
    )


def drift(wanted: Profile, found: Profile) -> Mapping[str, float]:
    """Return the index of each measure."""
    return {
        measure: round(sum(_part(share, found[measure][key]) for key, share in shares.items()), 3)
        for measure, shares in wanted.items()
    }


def _part(wanted: float, found: float) -> float:
    one, other = max(wanted, _LEAST_SHARE), max(found, _LEAST_SHARE)
    return (other - one) * math.log(other / one)

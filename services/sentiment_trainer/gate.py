"""The gate: whether a new version is better than the one that serves."""

from collections.abc import Mapping, Sequence

from pydantic import BaseModel

from services.sentiment_analyzer.evaluation import measure
from services.sentiment_analyzer.learned import SentimentClassifier
from services.sentiment_trainer.dataset import Dataset, Example

_FLOOR = 0.60
"""Accuracy on the reviews: what VADER has without any training."""
_MOST_FORGOTTEN = 0.02
"""Accuracy on the reviews that may be lost for what is fresh."""
LEAST_FRESH = 30
"""Fresh examples that are few enough to say nothing."""


class Evaluation(BaseModel):
    """What both versions get right, and what follows from it."""

    serving: str
    candidate: str
    held_out: int
    """Fresh examples that were measured by."""
    reviews: Mapping[str, float]
    """Accuracy by version on the sentences every version is measured by."""
    fresh: Mapping[str, float]
    """Accuracy by version on what people labelled; none where that is too little."""
    accepted: bool
    why: str


def accuracy(classifier: SentimentClassifier, examples: Sequence[Example]) -> float:
    """Return the share of examples that are classified as people did."""
    right = sum(classifier.classify(each.text).label == each.label for each in examples)
    return right / len(examples)


def evaluate(
    candidate: SentimentClassifier, serving: SentimentClassifier, dataset: Dataset
) -> Evaluation:
    """Measure both on examples that neither was trained on, and decide.

    The serving version has been trained on older labels, some of which may be held out by now: it
    is rather overrated.
    """
    both = {"candidate": candidate, "serving": serving}
    reviews = {name: round(measure(each)["accuracy"], 4) for name, each in both.items()}
    held_out = dataset.held_out
    fresh = (
        {name: round(accuracy(each, held_out), 4) for name, each in both.items()}
        if len(held_out) >= LEAST_FRESH
        else {}
    )
    reasons = _against(reviews, fresh)
    return Evaluation(
        serving=serving.version,
        candidate=candidate.version,
        held_out=len(held_out),
        reviews=reviews,
        fresh=fresh,
        accepted=not reasons,
        why="; ".join(reasons) or "better than the serving version",
    )


def _against(reviews: Mapping[str, float], fresh: Mapping[str, float]) -> Sequence[str]:
    """Return why the candidate is not to be released."""
    decisive = fresh or reviews
    least = max(_FLOOR, reviews["serving"] - _MOST_FORGOTTEN)
    found: list[str] = []
    if reviews["candidate"] < least:
        found.append(f"accuracy on reviews {reviews['candidate']}, allowed: {least:.4g} or more")
    if decisive["candidate"] <= decisive["serving"]:
        what = "fresh labels" if fresh else "reviews"
        found.append(
            f"accuracy on {what} {decisive['candidate']}, allowed: more than the serving "
            f"version's {decisive['serving']}"
        )
    return found

"""The watch: judges a canary by what people labelled, and looks for drift and lost quality."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from services.common.bigquery import BigQuery
from services.sentiment_analyzer.evaluation import measure, reviews
from services.sentiment_analyzer.model import MODEL_VERSION
from services.sentiment_analyzer.releases import Canary, Release, Releases
from services.sentiment_trainer.drift import Profile, drift, profile_of, profile_on
from services.sentiment_trainer.store import Store

LEAST_MESSAGES = 100
"""Messages that are few enough to say nothing of drift."""
LEAST_LABELLED = 20
"""Labelled messages of a version that are few enough to say nothing of it."""
_WORSE = 0.02
"""Accuracy by which a canary may be below the serving version: labels are few."""
_LOST = 0.1
"""Accuracy that a version may lose after its release."""
_DAY = timedelta(days=1)


class Prediction(NamedTuple):
    """What a version said of a message, and people, where they did."""

    model: str
    label: str
    known_share: float
    wanted: str | None


class Finding(NamedTuple):
    """What a look found."""

    event: str
    """waiting, promoted, rolled_back, drift, quality, steady or quiet."""
    details: Mapping[str, object]


class Watch:
    """Looks at a pipeline's predictions. Times are given, so that any can be played."""

    def __init__(
        self,
        store: Store,
        bigquery: BigQuery,
        results: str,
        labels: str,
        *,
        threshold: float,
        canary_hours: float,
    ) -> None:
        self._store = store
        self._bigquery = bigquery
        self._query = (
            "SELECT results.model AS model, results.output AS output, labels.label AS label "  # noqa: S608
            f"FROM `{results}` AS results LEFT JOIN (SELECT message_id, MIN(label) AS label "
            f"FROM `{labels}` WHERE labelled_at >= @since GROUP BY message_id "
            "HAVING COUNT(DISTINCT label) = 1) AS labels "
            "ON labels.message_id = results.message_id WHERE results.processed_at >= @since"
        )
        self._threshold = threshold
        self._patience = timedelta(hours=canary_hours)

    def look(self, now: datetime) -> Finding:
        """Return what there is to see, with a canary judged. Raises GoogleError and ModelError."""
        releases = self._store.releases()
        if releases.canary is not None:
            return self._judge(releases, releases.canary, now)
        serving = releases.serving
        since = max(now - _DAY, serving.since if serving else now - _DAY)
        version = serving.version if serving else MODEL_VERSION
        found = [each for each in self._predictions(since) if each.model == version]
        return self._drift(releases, found)

    def _judge(self, releases: Releases, canary: Canary, now: datetime) -> Finding:
        found = self._predictions(canary.since)
        serving = releases.serving.version if releases.serving else MODEL_VERSION
        measured = {name: _accuracy(found, name) for name in (canary.version, serving)}
        details = {"canary": canary.version, "serving": serving, "accuracy": measured}
        if any(count < LEAST_LABELLED for _, count in measured.values()):
            if now - canary.since < self._patience:
                return Finding("waiting", {**details, "why": "too few labels yet"})
            return self._end(canary, details, "too few labels came")
        worse = measured[serving][0] - measured[canary.version][0]
        if worse > _WORSE:
            return self._end(canary, details, "worse than the serving version")
        promoted = Release(digest=canary.digest, since=now)

        self._settle(canary, serving=promoted)
        return Finding("promoted", details)

    def _end(self, canary: Canary, details: Mapping[str, object], why: str) -> Finding:
        self._settle(canary)
        return Finding("rolled_back", {**details, "why": why})

    def _settle(self, canary: Canary, **changed: Release) -> None:
        """End a canary that is still there."""

        def change(now_there: Releases) -> Releases:
            if now_there.canary != canary:
                return now_there
            return now_there.model_copy(update={**changed, "canary": None})

        self._store.change(change)

    def _drift(self, releases: Releases, found: Sequence[Prediction]) -> Finding:
        details: dict[str, object] = {"messages": len(found)}
        if len(found) < LEAST_MESSAGES:
            return Finding("quiet", details)
        wanted, accuracy = self._wanted(releases.serving)
        seen = profile_of((each.label, each.known_share) for each in found)
        indices = drift(wanted, seen)
        measured, count = _accuracy(found, found[0].model)
        details |= {"model": found[0].model, "drift": indices, "labelled": count}
        if count:
            details["accuracy"] = measured
        if max(indices.values()) > self._threshold:
            return Finding("drift", {**details, "allowed": self._threshold})
        if count >= LEAST_LABELLED and measured < accuracy - _LOST:
            return Finding("quality", {**details, "allowed": accuracy - _LOST})
        return Finding("steady", details)

    def _wanted(self, serving: Release | None) -> tuple[Profile, float]:
        """Return what the serving version made of texts it was not trained on, and its accuracy."""
        card = self._store.card(serving) if serving else None
        if card is not None:
            measured = card.evaluation.fresh or card.evaluation.reviews
            return card.profile, measured["candidate"]
        classifier = self._store.classifier(serving)
        profile = profile_on(classifier, [text for _, text in reviews()])
        return profile, measure(classifier)["accuracy"]

    def _predictions(self, since: datetime) -> Sequence[Prediction]:
        found: list[Prediction] = []
        for row in self._bigquery.rows(self._query, since):
            output = json.loads(row["output"] or "{}")
            # Rows of before this was measured say nothing of it.
            if "known_share" in output:
                found.append(
                    Prediction(
                        str(row["model"]), output["label"], output["known_share"], row["label"]
                    )
                )
        return found


def _accuracy(found: Sequence[Prediction], model: str) -> tuple[float, int]:
    """Return a version's accuracy on labelled messages, and how many those are."""
    labelled = [each for each in found if each.model == model and each.wanted is not None]
    right = Counter(each.label == each.wanted for each in labelled)[True]
    return round(right / len(labelled), 4) if labelled else 0.0, len(labelled)

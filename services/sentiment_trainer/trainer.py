"""The trainer: begins runs of the pipeline, one at a time, and looks what became of them."""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from services.common.bigquery import BigQuery
from services.common.google_rest import GoogleError, GoogleRest
from services.common.logs import FIELDS
from services.common.objects import Objects
from services.sentiment_analyzer.releases import Releases, Run
from services.sentiment_trainer.settings import Settings
from services.sentiment_trainer.store import Store
from services.sentiment_trainer.vertex import ENDED_BADLY, Vertex
from services.sentiment_trainer.watch import Finding, Watch

_log = logging.getLogger(__name__)
_LEVELS = {
    "drift": logging.WARNING,
    "quality": logging.WARNING,
    "rolled_back": logging.WARNING,
    "training_failed": logging.ERROR,
}
_GONE = 404


class _BusyError(Exception):
    """Why no run is begun."""


class Trainer:
    """Does what messages ask for. Times are given, so that any can be played.

    Raises GoogleError, ModelError and ChangedError where Google's APIs can't be used.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        google, project = GoogleRest(settings.google_apis_endpoint), settings.google_cloud_project
        self._store = Store(Objects(google, settings.model_store))
        self._vertex = Vertex(google, project, settings.region)
        self._watch = Watch(
            self._store,
            BigQuery(google, project),
            _table(settings.watched_table),
            _table(settings.labels_table),
            threshold=settings.drift_threshold,
            canary_hours=settings.canary_hours,
        )

    def check(self, now: datetime) -> Finding:
        """Look at the run that is under way, or else at the predictions."""
        run = self._store.releases().run
        if run is None:
            found = self._watch.look(now)
        elif (state := self._state(run)) in ENDED_BADLY:
            self._store.change(lambda there: _without(there, run))
            found = Finding("training_failed", {"run": run.id, "state": state})
        else:
            found = Finding("training", {"run": run.id, "state": state})
        if found.event == "promoted":
            self._name_serving()
        return _told(found)

    def retrain(self, message: str, now: datetime, *, by_alert: bool) -> Finding:
        """Begin a run, unless one or its canary is under way, or an alert comes soon after one.

        The run's id is that of the message, so that a message that comes again begins no other.
        """
        run = Run(id=f"{self._settings.registry_model}-{message}", since=now)

        def begin(releases: Releases) -> Releases:
            last = releases.last_run
            if last is not None and last.id == run.id:
                return releases
            if releases.run is not None:
                raise _BusyError(f"{releases.run.id} is under way")
            if releases.canary is not None:
                raise _BusyError(f"{releases.canary.version} is not judged yet")
            rest = timedelta(hours=self._settings.cooldown_hours)
            if by_alert and last is not None and now - last.since < rest:
                raise _BusyError(f"{last.id} began less than {rest} ago")
            return releases.model_copy(update={"run": run, "last_run": run})

        try:
            there = self._store.change(begin)
        except _BusyError as problem:
            return _told(Finding("training_skipped", {"run": run.id, "why": str(problem)}))
        if there.run is None or there.run.id != run.id:
            return _told(Finding("training_skipped", {"run": run.id, "why": "it has ended"}))
        settings = self._settings
        self._vertex.run(
            run.id,
            image=settings.training_image,
            account=settings.training_account,
            root=f"{settings.model_store}/runs",
            parameters=self._parameters(run),
        )
        return _told(Finding("training_begun", {"run": run.id, "by_alert": by_alert}))

    def _parameters(self, run: Run) -> Mapping[str, str]:
        """Return the parameters of the pipeline, which pipeline.yaml declares."""
        settings = self._settings
        return {
            "bucket": settings.model_store.removeprefix("gs://"),
            "days": str(settings.labels_days),
            "image": settings.training_image,
            "labels": _table(settings.labels_table),
            "least": str(settings.least_labels),
            "percent": str(settings.canary_percent),
            "project": settings.google_cloud_project,
            "region": settings.region,
            "registry": settings.registry_model,
            "run": run.id,
        }

    def _state(self, run: Run) -> str:
        try:
            return self._vertex.state(run.id)
        except GoogleError as problem:
            if problem.status != _GONE:
                raise
            return ENDED_BADLY[0]

    def _name_serving(self) -> None:
        """Tell the Model Registry which version serves."""
        serving = self._store.releases().serving
        card = self._store.card(serving) if serving else None
        if card is not None and card.registered:
            self._vertex.name(card.registered, "default")


def _table(uri: str) -> str:
    return uri.removeprefix("bq://")


def _without(releases: Releases, run: Run) -> Releases:
    return releases.model_copy(update={"run": None}) if releases.run == run else releases


def _told(found: Finding) -> Finding:
    """Log what was found: alerts go by the field `event`."""
    level = _LEVELS.get(found.event, logging.INFO)
    _log.log(level, found.event, extra={FIELDS: {"event": found.event, **found.details}})
    return found

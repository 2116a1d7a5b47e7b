"""Which version classifies: the one released, and for a share of the messages the next one.

Both stand in `releases.json` of the bucket of models, which services/sentiment_trainer writes. The
models themselves lie there under their digests, so that what is read is what was registered.
"""

import logging
import threading
import time
from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.common.google_rest import GoogleError
from services.common.hashes import in_share
from services.common.objects import NEVER_WRITTEN, Objects
from services.sentiment_analyzer.learned import (
    LearnedClassifier,
    ModelError,
    SentimentClassifier,
    digest_of,
    version_of,
)
from services.sentiment_analyzer.model import Classifier

RELEASES: Final = "releases.json"
_log = logging.getLogger(__name__)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Release(_Part):
    """A version that gets all messages, or all but those of a canary."""

    digest: str = Field(pattern="^sha256:[0-9a-f]{64}$")
    since: datetime

    @property
    def version(self) -> str:
        """Its name."""
        return version_of(self.digest)


class Canary(Release):
    """A version that gets a share of the messages."""

    percent: int = Field(ge=1, le=99)


class Run(_Part):
    """A run of the training pipeline."""

    id: str
    since: datetime


class Releases(_Part):
    """What is released, and what is under way."""

    serving: Release | None = None
    """None for VADER, which needs no model."""
    canary: Canary | None = None
    run: Run | None = None
    """The run that is under way."""
    last_run: Run | None = None
    """The run that began last."""


def model_name(digest: str) -> str:
    """Return the name of the object that holds a model."""
    return f"models/{digest.removeprefix('sha256:')}.json"


def read_releases(objects: Objects) -> tuple[Releases, int]:
    """Return what is released, with the generation of the object: nothing before the first.

    Raises GoogleError, and ModelError for an object that says something else.
    """
    found = objects.read(RELEASES)
    if found is None:
        return Releases(), NEVER_WRITTEN
    try:
        return Releases.model_validate_json(found.content), found.generation
    except ValidationError as problem:
        raise ModelError(f"gs://{objects.bucket}/{RELEASES}: {problem}") from problem


def load_model(objects: Objects, digest: str, lexicon: Classifier) -> LearnedClassifier:
    """Return the model with a digest. Raises GoogleError, and ModelError where it has another."""
    found = objects.read(model_name(digest))
    if found is None or digest_of(found.content) != digest:
        what = "none" if found is None else digest_of(found.content)
        raise ModelError(f"gs://{objects.bucket}/{model_name(digest)}: found {what}")
    return LearnedClassifier(found.content, lexicon)


class Versions:
    """The versions in use, looked up again every so often. Safe to use from many threads.

    What can't be read leaves those that are in use: before the first, VADER.
    """

    def __init__(self, objects: Objects | None, refresh_seconds: float) -> None:
        self._objects = objects
        self._refresh_seconds = refresh_seconds
        self._lexicon = Classifier()
        self._serving: SentimentClassifier = self._lexicon
        self._canary: tuple[SentimentClassifier, int] | None = None
        self._looked = -float("inf")
        self._looking = threading.Lock()

    def is_old(self) -> bool:
        """Return whether it is time to look again."""
        return self._objects is not None and self._age() >= self._refresh_seconds

    def of(self, key: str) -> SentimentClassifier:
        """Return what classifies the message with a key."""
        canary = self._canary
        if canary is not None and in_share(key, canary[1]):
            return canary[0]
        return self._serving

    def refresh(self) -> None:
        """Look what is released, where it is time to."""
        with self._looking:
            if self._objects is None or not self.is_old():
                return
            try:
                releases, _ = read_releases(self._objects)
                self._serving = self._loaded(self._objects, releases.serving)
                canary = releases.canary
                self._canary = (
                    (self._loaded(self._objects, canary), canary.percent) if canary else None
                )
            except (GoogleError, ModelError) as problem:
                _log.error("the models in use stay: %s", problem)
            self._looked = time.monotonic()

    def _age(self) -> float:
        return time.monotonic() - self._looked

    def _loaded(self, objects: Objects, release: Release | None) -> SentimentClassifier:
        if release is None:
            return self._lexicon
        there = [self._serving, *([self._canary[0]] if self._canary else [])]
        for each in there:
            if each.version == release.version:
                return each
        return load_model(objects, release.digest, self._lexicon)

"""The bucket of models: each version under its digest with its card, and what is released.

`releases.json` is changed by compare and swap: of two that change it at once, one sees the other's
change first.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from pydantic import BaseModel

from services.common.objects import ChangedError, Objects
from services.sentiment_analyzer.learned import SentimentClassifier, version_of
from services.sentiment_analyzer.model import Classifier
from services.sentiment_analyzer.releases import (
    RELEASES,
    Release,
    Releases,
    load_model,
    model_name,
    read_releases,
)
from services.sentiment_trainer.drift import Profile
from services.sentiment_trainer.gate import Evaluation

_TRIES = 5


class Card(BaseModel):
    """What is known of a version: where it is from, and how good it is."""

    version: str
    digest: str
    made_at: datetime
    run: str
    """Of the pipeline."""
    dataset: str
    """Digest."""
    examples: Mapping[str, int]
    """How many it was trained on, by where they are from."""
    evaluation: Evaluation
    profile: Profile
    """What it makes of texts it was not trained on."""
    registered: str = ""
    """Its name in the Model Registry, with its number."""


class Store:
    """Versions and what is released of them."""

    def __init__(self, objects: Objects) -> None:
        self.objects = objects
        self._lexicon = Classifier()

    def releases(self) -> Releases:
        """Return what is released. Raises GoogleError and ModelError."""
        return read_releases(self.objects)[0]

    def change(self, change: Callable[[Releases], Releases]) -> Releases:
        """Change what is released, and return it.

        `change` is tried again on what somebody else has changed meanwhile. Raises what it raises,
        GoogleError, ModelError, and ChangedError where that goes on.
        """
        for left in reversed(range(_TRIES)):
            releases, generation = read_releases(self.objects)
            changed = change(releases)
            if changed == releases:
                return releases
            try:
                content = changed.model_dump_json(indent=1).encode()
                self.objects.write(RELEASES, content, generation)
            except ChangedError:
                if not left:
                    raise
                continue
            return changed
        raise AssertionError("a try returns or raises")

    def classifier(self, release: Release | None) -> SentimentClassifier:
        """Return what a release classifies with."""
        if release is None:
            return self._lexicon
        return load_model(self.objects, release.digest, self._lexicon)

    def register(self, model: bytes, card: Card) -> None:
        """Keep a version with its card."""
        self.objects.write(model_name(card.digest), model)
        self.objects.write(card_name(card.digest), card.model_dump_json(indent=1).encode())

    def card(self, release: Release) -> Card | None:
        """Return the card of a release; None where there is none."""
        found = self.objects.read(card_name(release.digest))
        return None if found is None else Card.model_validate_json(found.content)


def card_name(digest: str) -> str:
    """Return the name of the object that holds a version's card."""
    return f"models/{version_of(digest)}.card.json"

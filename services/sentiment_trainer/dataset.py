"""What a model is trained on: sentences that come with the image, and rows that people labelled.

data/reviews.tsv holds 2,706 sentences of product reviews with the mean of 20 people's ratings: all
that came with the paper of VADER's authors (MIT licence) but the 1,000 that
services/sentiment_analyzer/evaluation measures by.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, cast

from services.common.hashes import in_share
from services.sentiment_analyzer.evaluation import reviews
from services.sentiment_analyzer.learned import LABELS
from services.sentiment_analyzer.model import Label

_REVIEWS = Path(__file__).with_name("data") / "reviews.tsv"
_HELD_OUT_PERCENT = 30
_MOST_OF_ONE_LABEL = 0.9


class DatasetError(ValueError):
    """Why nothing can be trained on what there is."""


class Example(NamedTuple):
    """A text with what people say of it."""

    text: str
    label: Label

    @property
    def held_out(self) -> bool:
        """Whether nothing is trained on it: always the same of a text, however often it comes."""
        return in_share(self.text, _HELD_OUT_PERCENT)


class Dataset(NamedTuple):
    """Examples, those of people's fresh labels apart."""

    base: Sequence[Example]
    fresh: Sequence[Example]

    @property
    def training(self) -> Sequence[Example]:
        """What is trained on."""
        return [*self.base, *(each for each in self.fresh if not each.held_out)]

    @property
    def held_out(self) -> Sequence[Example]:
        """Fresh examples to measure by."""
        return [each for each in self.fresh if each.held_out]


def collect(labelled: Sequence[Mapping[str, str | None]], least: int) -> Dataset:
    """Return the dataset with the labelled rows, checked. Raises DatasetError.

    A text that people label differently is left out, and so is one that is measured by.
    """
    wrong = [
        row for row in labelled if row["label"] not in LABELS or not (row["text"] or "").strip()
    ]
    if wrong:
        raise DatasetError(
            f"{len(wrong)} of {len(labelled)} labelled rows have no text or another label, such as "
            f"{wrong[0]['label']!r}; allowed: {', '.join(LABELS)}; correct or delete them"
        )
    said: dict[str, set[str]] = {}
    for row in labelled:
        said.setdefault(str(row["text"]), set()).add(str(row["label"]))
    measured = {text for _, text in reviews()}
    fresh = [
        Example(text, cast("Label", next(iter(labels))))
        for text, labels in said.items()
        if len(labels) == 1 and text not in measured
    ]
    if len(fresh) < least:
        raise DatasetError(
            f"found {len(fresh)} labelled texts, allowed: at least {least}; label more messages"
        )
    counted = Counter(each.label for each in fresh)
    if fresh and max(counted.values()) > _MOST_OF_ONE_LABEL * len(fresh):
        raise DatasetError(
            f"found {dict(counted)}: nearly all of one label, allowed: up to "
            f"{_MOST_OF_ONE_LABEL:.0%}; label a sample of the messages, not a choice"
        )
    return Dataset([Example(text, label) for label, text in reviews(_REVIEWS)], fresh)


def written(dataset: Dataset) -> bytes:
    """Return the dataset as a JSON line an example."""
    lines = [
        json.dumps({"text": each.text, "label": each.label, "from": name}, ensure_ascii=False)
        for name, examples in dataset._asdict().items()
        for each in examples
    ]
    return "\n".join(lines).encode()


def read(content: bytes) -> Dataset:
    """Return what `written` wrote."""
    found: dict[str, list[Example]] = {"base": [], "fresh": []}
    for line in content.decode().split("\n"):
        row = json.loads(line)
        found[row["from"]].append(Example(row["text"], row["label"]))
    return Dataset(**found)

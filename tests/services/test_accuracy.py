"""What the classifier gets right of the reviews in services/sentiment_analyzer/evaluation."""

import re

from services.sentiment_analyzer.evaluation import measure
from services.sentiment_analyzer.model import Classifier
from tests.services.harness import SERVICES


def test_the_readme_says_how_accurate_the_model_is() -> None:
    measured = measure(Classifier())
    text = (SERVICES / "sentiment_analyzer" / "README.md").read_text()
    table = dict(re.findall(r"^\| (\w+) \| ([\d.]+) \|$", text, re.MULTILINE))
    assert table == {key: f"{value:.3f}" for key, value in measured.items()}

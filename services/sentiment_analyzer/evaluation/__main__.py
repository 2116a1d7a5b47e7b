"""Prints the figures."""

from services.sentiment_analyzer.evaluation import measure
from services.sentiment_analyzer.model import Classifier

for name, value in measure(Classifier()).items():
    print(f"{name:10} {value:.3f}")

"""Prints the figures."""

from services.sentiment_analyzer.evaluation import measure

for name, value in measure().items():
    print(f"{name:10} {value:.3f}")

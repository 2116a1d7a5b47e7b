"""Limits of alerts, objectives and budgets."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from catalog.limits import Entries, Range, Text
from catalog.problems import Problem, joined, shown

WAYS: Final = ("email", "pagerduty_secret", "pubsub_topic", "slack", "webhook")
"""Ways to tell somebody."""
CHANNELS: Final = Entries("a channel")
EMAIL: Final = Text(
    r"[^\s:@]+@[^\s:@]+\.[^\s:@]+", "an e-mail address", "write it like oncall@acme.com"
)
SLACK_CHANNEL: Final = Text(
    "#[a-z0-9_-]{1,80}",
    "a channel of Slack: #, then lowercase letters, digits, hyphens or underscores",
    "write it like '#inference-alerts'",
)
WEBHOOK: Final = Text(
    r"https://[^\s/@?#]+(/[^\s@?#]*)?",
    "an https address without a user, a query or a fragment",
    "write it like https://alerts.acme.com/gcp; what is secret goes into the secret",
)
WEBHOOK_USER: Final = Text(r"[^\s:]{1,255}", "a name without spaces and colons", "change it")
SECRET_ID: Final = Text(
    "[A-Za-z0-9_-]{1,255}",
    "the id of a secret in Secret Manager: letters, digits, underscores or hyphens",
    "store the key there: it must not stand in a stack file",
)
AUDIT_DAYS: Final = Range(30, 36500, "days", default=400)
QUERY_DAYS: Final = Range(30, 36500, "days", default=90)
BILLING_ACCOUNT: Final = Text(
    "[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}",
    "the id of a billing account: three groups of six digits or letters A to F",
    "`gcloud billing accounts list` shows the ids",
)
MONTHLY_USD: Final = Range(1, 1_000_000_000, "USD")
THRESHOLD_PERCENT: Final = Range(1, 100, "percent")
THRESHOLDS_PERCENT: Final = Entries("a percent", default=(50, 80, 100))
FORECAST_PERCENT: Final = Range(1, 1000, "percent", default=100)
# The API takes up to 0.9999; no burn rate that alerts can be reached from a goal below 0.7.
GOAL: Final = Range(0.7, 0.9999)
ROLLING_PERIOD_DAYS: Final = Range(1, 30, "days", default=28)
OBJECTIVE_SECONDS: Final = Range(0.001, 86400.0, "seconds")


def channel(given: Mapping[str, object]) -> Iterator[Problem]:
    """Yield a channel that tells somebody in no way, or in several."""
    ways = sorted(way for way, value in given.items() if value is not None)
    if len(ways) != 1:
        yield Problem(
            (),
            " and ".join(ways) or "an empty mapping",
            f"exactly one of {joined(WAYS)}",
            "give each way a name of its own" if ways else "add one",
        )


def percents(given: Sequence[int]) -> Iterator[Problem]:
    """Yield percents of a budget that stand twice."""
    seen = Counter[int]()
    for position, percent in enumerate(given):
        if seen[percent]:
            yield Problem((position,), f"{shown(percent)} again", "each percent once", "remove it")
        seen[percent] += 1

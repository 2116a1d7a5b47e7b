"""Operations: channels that say one way each, thresholds of models that exist and make sense."""

from collections.abc import Iterator
from typing import Final

from catalog.limits import operations as limits
from catalog.problems import KeyPath, Problem, below, joined, shown, shown_path
from config.checks.references import check_name
from config.known import Known
from config.operations import Alerts, LatencyThresholds, Thresholds

_MOST_BUDGET_EMAILS: Final = 5
_DAY_SECONDS: Final = 86400


def check_operations(known: Known) -> Iterator[Problem]:
    """Check alerts and budget."""
    if known.alerts is not None:
        for name, channel in known.alerts.notify.items():
            yield from below(("alerts", "notify", name), limits.channel(dict(channel)))
        yield from _check_topics(known, known.alerts)
        yield from _check_thresholds(known, known.alerts)
    if known.budget is not None:
        yield from _check_budget(known)


def _check_topics(known: Known, alerts: Alerts) -> Iterator[Problem]:
    """Check that no topic of a channel is made by something else as well."""
    taken: dict[str, KeyPath] = {}
    for name, pipeline in known.pipelines.items():
        if pipeline.existing.topic is None:
            taken[name] = ("pipelines", name)
        taken[f"{name}-dead-letter"] = ("pipelines", name)
    for name, channel in alerts.notify.items():
        path = ("alerts", "notify", name, "pubsub_topic")
        topic = channel.pubsub_topic
        if topic is not None and topic in taken:
            yield Problem(
                path,
                f"{shown(topic)} again",
                f"a topic that {shown_path(taken[topic])} does not make",
                "change it: alerts and messages would be one stream",
            )
        elif topic is not None:
            taken[topic] = path


def _check_thresholds(known: Known, alerts: Alerts) -> Iterator[Problem]:
    yield from _check_order(("alerts", "thresholds"), alerts.thresholds, alerts.thresholds)
    for name, own in alerts.models.items():
        path = ("alerts", "models", name)
        yield from check_name(known, "models", path, name)
        if not any(value is not None for value in dict(own).values()):
            yield Problem(
                path, "no threshold", joined(LatencyThresholds.model_fields), "add one or remove it"
            )
        yield from _check_order(path, own, alerts.thresholds)
        yield from _check_timeout(known, path, own)
    yield from _check_timeout(known, ("alerts", "thresholds"), alerts.thresholds)
    yield from _check_backlog(known, alerts.thresholds)
    yield from _check_archives(known, alerts.thresholds)


def _check_timeout(
    known: Known, path: tuple[str, ...], own: Thresholds | LatencyThresholds
) -> Iterator[Problem]:
    """Check that answers can take so long: the gateway ends requests after a while."""
    if known.gateway is None:
        return
    longest = known.gateway.request_timeout_seconds
    for key in LatencyThresholds.model_fields:
        value = getattr(own, key)
        if value is not None and value >= longest:
            yield Problem(
                (*path, key),
                shown(value),
                f"less than gateway.request_timeout_seconds, {longest}",
                "lower it or raise the timeout: the request ends first, nobody would be told",
            )


def _check_backlog(known: Known, thresholds: Thresholds) -> Iterator[Problem]:
    """Check that messages can get as old as the threshold: Pub/Sub deletes them after a while."""
    if not known.pipelines:
        return
    name, pipeline = min(known.pipelines.items(), key=lambda item: item[1].retention_days)
    for key in ("backlog_age_seconds", "sinks_backlog_age_seconds"):
        value = getattr(thresholds, key)
        if value >= pipeline.retention_days * _DAY_SECONDS:
            yield Problem(
                ("alerts", "thresholds", key),
                shown(value),
                f"less than pipelines.{name}.retention_days, "
                f"{pipeline.retention_days * _DAY_SECONDS} seconds",
                "lower it or raise retention_days: older messages are gone, nobody would be told",
            )


def _check_archives(known: Known, thresholds: Thresholds) -> Iterator[Problem]:
    """Check that the threshold is above the time a message waits for its file to end."""
    value = thresholds.sinks_backlog_age_seconds
    for name, pipeline in known.pipelines.items():
        if pipeline.archive is not None and value <= pipeline.archive.max_seconds:
            yield Problem(
                ("alerts", "thresholds", "sinks_backlog_age_seconds"),
                shown(value),
                f"more than pipelines.{name}.archive.max_seconds, {pipeline.archive.max_seconds}",
                "raise it or lower max_seconds: files take that long to end",
            )


def _check_order(
    path: tuple[str, ...], own: Thresholds | LatencyThresholds, default: Thresholds
) -> Iterator[Problem]:
    p90 = own.latency_p90_seconds or default.latency_p90_seconds
    p99 = own.latency_p99_seconds or default.latency_p99_seconds
    if p90 > p99:
        yield Problem(
            (*path, "latency_p90_seconds"),
            shown(p90),
            f"at most latency_p99_seconds, {shown(p99)}",
            "lower it or raise the other: one in a hundred is never faster than one in ten",
        )


def _check_budget(known: Known) -> Iterator[Problem]:
    if known.budget:
        percents = limits.percents(known.budget.thresholds_percent)
        yield from below(("budget", "thresholds_percent"), percents)
    alerts = known.alerts
    emails = [each for each in alerts.notify.values() if each.email] if alerts else []
    if len(emails) > _MOST_BUDGET_EMAILS:
        yield Problem(
            ("budget",),
            f"{len(emails)} e-mail addresses in alerts.notify",
            f"at most {_MOST_BUDGET_EMAILS} with a budget",
            "use a mailing list",
        )

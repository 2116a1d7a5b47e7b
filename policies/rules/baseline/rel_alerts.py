"""Somebody is told when the service is down."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import StackFinding, StackRule
from policies.shared.types import LOG_SINKS
from resources.durations import seconds
from resources.properties import (
    MISSING,
    UNKNOWN,
    elements,
    entries,
    flag,
    get,
    text,
)
from resources.resource import Resource, stack_of

_ALERT: Final = "gcp:monitoring/alertPolicy:AlertPolicy"
_CHANNEL: Final = "gcp:monitoring/notificationChannel:NotificationChannel"
_SERVING: Final = (
    "gcp:cloudfunctionsv2/function:Function",
    "gcp:cloudrun/service:Service",
    "gcp:cloudrunv2/service:Service",
    "gcp:container/cluster:Cluster",
    "gcp:container/nodePool:NodePool",
    "gcp:vertex/aiEndpoint:AiEndpoint",
    "gcp:vertex/aiEndpointWithModelGardenDeployment:AiEndpointWithModelGardenDeployment",
)
_CONDITIONS: Final = (
    "conditionAbsent",
    "conditionMonitoringQueryLanguage",
    "conditionPrometheusQueryLanguage",
    "conditionThreshold",
)
# For how long a condition holds at most before anybody hears of it.
_WAIT: Final = 6 * 3600.0
_LONGEST: Final = 86400.0
# More than any count, share, size or time that is measured, and what no number is below.
_HIGHEST: Final = 1e15
# Shares, which are 1 at most unless they are added up.
_SHARE: Final = re.compile(r"metric\.type\s*=\s*[\"'][^\"']*(?:utilizations?|_fraction)[\"']")
_ADDS: Final = ("REDUCE_COUNT", "REDUCE_SUM")
_QUERIES: Final = (
    ("conditionPrometheusQueryLanguage", "query"),
    ("conditionMonitoringQueryLanguage", "query"),
    ("conditionSql", "query"),
)
_FILTERS: Final = ("conditionAbsent", "conditionMatchedLog", "conditionThreshold")
_TEXT: Final = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'")
# A name that is no function, and no word of the language or what stands behind one.
_LISTS: Final = re.compile(
    r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^()]*\)|\{[^{}]*\}|\[[^\[\]]*\]"
)
_METRIC: Final = re.compile(r"(?<![\w:.])[a-zA-Z_:][\w:]*(?!\s*\(|[\w:])")
_WORDS: Final = frozenset(
    {"and", "bool", "by", "inf", "nan", "offset", "on", "or", "unless", "without", "start", "end"}
)
_NAMED: Final = re.compile(r"\{[^{}]*\b__name__\s*=")
_NEVER: Final = re.compile(
    r"(>|>=|==)\s*(bool\s+)?\+?inf\b|(<|<=)\s*(bool\s+)?-\s*inf\b|[=<>]\s*nan\b"
    r"|[*]\s*0(\.0*)?(?![\w.])|\b(and|unless)\s+(on\s*\(\s*\)\s*)?vector\b"
    r"|\bfalse\b|\b1\s*==\s*0\b|\b0\s*==\s*1\b|\bwhere\s+1\s*=\s*0\b",
    re.IGNORECASE,
)
_BOUND: Final = re.compile(r"(?:>=?|==)\s*([0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?)", re.IGNORECASE)


def _waits(props: object) -> Iterator[float]:
    """Yield the seconds that each condition of a policy has to hold before it alerts."""
    for condition in elements(props, "conditions"):
        found = [seconds(condition, name, "duration") for name in _CONDITIONS]
        yield from (each for each in found if isinstance(each, float))


def _fires(condition: object) -> bool:
    """Return whether a condition may hold one day; one that is not known may."""
    for path in _QUERIES:
        query = text(condition, *path)
        if isinstance(query, str) and not _may_hold(query, promql=path[0] == _QUERIES[0][0]):
            return False
    for name in _FILTERS:
        asked = get(condition, name)
        if asked not in (MISSING, UNKNOWN) and text(asked, "filter") in (MISSING, ""):
            return False
    threshold = get(condition, "conditionThreshold", "thresholdValue")
    # Read as it is: a number of a rule's limits is never negative, a threshold may be.
    if not isinstance(threshold, int | float) or isinstance(threshold, bool):
        return True
    asked = get(condition, "conditionThreshold")
    share = _is_share(asked)
    if text(asked, "comparison") == "COMPARISON_LT":
        return threshold > (0 if share else -_HIGHEST)
    return threshold < (1 if share else _HIGHEST)


def _is_share(asked: object) -> bool:
    """Return whether a condition compares a share of a whole."""
    filtered = text(asked, "filter")
    added = {text(each, "crossSeriesReducer") for each in elements(asked, "aggregations")}
    return isinstance(filtered, str) and bool(_SHARE.search(filtered)) and not added & {*_ADDS}


def _may_hold(query: str, *, promql: bool) -> bool:
    bare = _TEXT.sub('""', query)
    if _NEVER.search(bare) or any(float(each) >= _HIGHEST for each in _BOUND.findall(bare)):
        return False
    if not promql or _NAMED.search(bare):
        return True
    names = _METRIC.findall(_LISTS.sub("", bare))
    return any(each.lower() not in _WORDS for each in names)


def _silent(policy: object) -> Iterator[str]:
    """Yield why a policy that is there tells nobody of what it watches."""
    conditions = entries(policy, "conditions")
    if conditions == ():
        yield "has no condition"
    for index, condition in enumerate(conditions if isinstance(conditions, tuple) else ()):
        if not _fires(condition):
            yield f"conditions[{index}] never holds, so it alerts nobody"
    if entries(policy, "alertStrategy", "notificationPrompts") == ("CLOSED",):
        yield "tells of incidents only when they are over"
    limit = seconds(policy, "alertStrategy", "notificationRateLimit", "period")
    if isinstance(limit, float) and limit > _LONGEST:
        yield "tells at most once in more than a day"


def _check(resources: Sequence[Resource], _limits: Limits) -> Iterator[StackFinding]:
    alerts = [each for each in resources if each.type == _ALERT]
    enabled = [each for each in alerts if flag(each.props, "enabled") is not False]
    if not enabled and any(each.type in _SERVING for each in resources):
        yield StackFinding("serves, and has no alert policy that is switched on")
    for each in (*alerts, *(each for each in resources if each.type == _CHANNEL)):
        if flag(each.props, "enabled") is False:
            yield StackFinding("is switched off", each)
    for token in LOG_SINKS:
        for each in stack_of(resources).by_type.get(token, ()):
            if flag(each.props, "disabled") is True:
                yield StackFinding("keeps no logs: it is switched off", each)
    for each in alerts:
        if any(found > _WAIT for found in _waits(each.props)):
            yield StackFinding("waits longer than six hours before it alerts", each)
        yield from (StackFinding(finding, each) for finding in _silent(each.props))
        if entries(each.props, "notificationChannels") in (MISSING, ()):
            yield StackFinding("alerts nobody: it has no notificationChannels", each)


RULE: Final = StackRule(
    id="rel-alerts",
    display_name="Somebody is told",
    description=(
        "A stack that serves has alert policies, each with a notification channel and conditions "
        "that can hold, and neither they nor channels or sinks are switched off."
    ),
    why="Users would be the monitoring.",
    remediation="make gcp.monitoring.AlertPolicy with notificationChannels.",
    severity=Severity.LOW,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/monitoring/alerts",
    check=_check,
)

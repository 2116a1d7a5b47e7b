"""Audit logs are kept, and those in a bucket cannot be taken out of it."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NamesLimit, NumberLimit
from policies.shared.rule import Reference, StackFinding, StackRule
from policies.shared.types import LOG_SINKS
from resources.properties import MISSING, UNKNOWN, flag, get, number, show, text
from resources.resource import Resource, stack_of
from resources.wiring import referenced_names

_BUCKET: Final = "gcp:storage/bucket:Bucket"
_PROJECT_SINK: Final = "gcp:logging/projectSink:ProjectSink"
_STORED: Final = ("storage.googleapis.com/", "logging.googleapis.com/")
# What leaves some of the audit logs out.
_NARROWS: Final = re.compile(
    r"\b(AND|NOT|severity|protoPayload|resource|timestamp|sample)\b|!=|(^|\s)-"
)
_DAY: Final = 86400.0


def _check(resources: Sequence[Resource], limits: Limits) -> Iterator[StackFinding]:
    least = limits.number("minDays")
    stack = stack_of(resources)
    written = {
        name
        for token in LOG_SINKS
        for each in stack.by_type.get(token, ())
        for name in referenced_names(each, "destination")
    }
    sinks = stack.by_type.get(_PROJECT_SINK, ())
    for project in limits.names("auditedProjects"):
        if not any(_keeps(each.props, project) for each in sinks):
            yield StackFinding(f"no sink keeps all audit logs of {project} in a bucket")
    for each in stack.by_type.get(_BUCKET, ()) if written else ():
        if written.isdisjoint((each.urn, text(each.props, "name"))):
            continue
        # The provider takes seconds as a text.
        period = number(each.props, "retentionPolicy", "retentionPeriod")
        if get(each.props, "retentionPolicy") in (MISSING, None):
            yield StackFinding("takes in logs and has no retentionPolicy", each)
        elif isinstance(period, float) and period < least * _DAY:
            yield StackFinding(f"keeps the logs it takes in less than {show(least, 'day')}", each)


def _keeps(sink: object, project: str) -> bool:
    """Return whether a sink keeps every audit log of a project in a bucket, of storage or logs."""
    leads = text(sink, "destination")
    wanted = text(sink, "filter")
    return (
        text(sink, "project") in (project, MISSING, UNKNOWN)
        and flag(sink, "disabled") is not True
        and (leads is UNKNOWN or (isinstance(leads, str) and leads.startswith(_STORED)))
        and (wanted in (MISSING, "", UNKNOWN) or _takes_all(str(wanted)))
    )


def _takes_all(wanted: str) -> bool:
    logs = wanted.replace("%2F", "/")
    return not _NARROWS.search(logs) and (
        all(f"cloudaudit.googleapis.com/{each}" in logs for each in ("activity", "data_access"))
        or re.search(r"cloudaudit\.googleapis\.com(?!/)", logs) is not None
    )


RULE: Final = StackRule(
    id="rel-log-retention",
    display_name="Logs in buckets stay",
    description=(
        "A bucket that a log sink writes to has a retention policy, and a sink keeps all audit "
        "logs of the projects that the environment names."
    ),
    why="Whoever may delete objects could delete what tells of it.",
    remediation=(
        "set retentionPolicy.retentionPeriod on the bucket, and lock it; leave the sink of the "
        "audit logs on, with them all in its filter."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/storage/docs/bucket-lock",
    references=(Reference("CIS Google Cloud", "2.3"),),
    limits=(
        NumberLimit("minDays", "Fewest days that logs in a bucket stay", default=30),
        NamesLimit("auditedProjects", "Projects whose audit logs a sink keeps", default=()),
    ),
    check=_check,
)

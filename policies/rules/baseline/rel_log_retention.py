"""Logs that are kept in a bucket cannot be taken out of it."""

from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NumberLimit
from policies.shared.rule import Reference, StackFinding, StackRule
from policies.shared.types import LOG_SINKS
from resources.properties import MISSING, get, number, show, text
from resources.resource import Resource, stack_of
from resources.wiring import referenced_names

_BUCKET: Final = "gcp:storage/bucket:Bucket"
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
    for each in stack.by_type.get(_BUCKET, ()) if written else ():
        if written.isdisjoint((each.urn, text(each.props, "name"))):
            continue
        # The provider takes seconds as a text.
        period = number(each.props, "retentionPolicy", "retentionPeriod")
        if get(each.props, "retentionPolicy") in (MISSING, None):
            yield StackFinding("takes in logs and has no retentionPolicy", each)
        elif isinstance(period, float) and period < least * _DAY:
            yield StackFinding(f"keeps the logs it takes in less than {show(least, 'day')}", each)


RULE: Final = StackRule(
    id="rel-log-retention",
    display_name="Logs in buckets stay",
    description="A bucket that a log sink writes to has a retention policy.",
    why="Whoever may delete objects could delete what tells of it.",
    remediation="set retentionPolicy.retentionPeriod on the bucket, and lock it.",
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/storage/docs/bucket-lock",
    references=(Reference("CIS Google Cloud", "2.3"),),
    limits=(NumberLimit("minDays", "Fewest days that logs in a bucket stay", default=30),),
    check=_check,
)

"""Task queues and scheduled jobs have limits."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NumberLimit
from policies.shared.rule import ResourceRule
from resources.properties import MISSING, Absence, number, show
from resources.resource import Resource

_QUEUE: Final = "gcp:cloudtasks/queue:Queue"
_JOB: Final = "gcp:cloudscheduler/job:Job"
_BOUNDS: Final = (
    (("rateLimits", "maxDispatchesPerSecond"), "maxPerSecond"),
    (("rateLimits", "maxConcurrentDispatches"), "maxAtOnce"),
    (("retryConfig", "maxAttempts"), "maxAttempts"),
)


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    if resource.type == _JOB:
        cap = limits.number("maxAttempts")
        retries = number(resource.props, "retryConfig", "retryCount")
        if retries is not MISSING and (isinstance(retries, Absence) or retries > cap):
            yield f"retries {show(retries, 'time')}, allowed {show(cap)}"
        return
    for path, name in _BOUNDS:
        cap = limits.number(name)
        found = number(resource.props, *path)
        if isinstance(found, Absence):
            yield f"its {path[-1]} is not a known number, allowed {show(cap)}"
        elif found > cap:
            yield f"its {path[-1]} is {show(found)}, allowed {show(cap)}"


RULE: Final = ResourceRule(
    id="scale-queues",
    display_name="Task queues are capped",
    description=(
        "A task queue states its rate and its attempts, and a scheduled job retries few times."
    ),
    why=(
        "A queue without limits floods the service behind it, and tasks that always fail are "
        "tried for ever."
    ),
    remediation=(
        "set rateLimits.maxDispatchesPerSecond, rateLimits.maxConcurrentDispatches and "
        "retryConfig.maxAttempts within the caps."
    ),
    severity=Severity.LOW,
    level=EnforcementLevel.ADVISORY,
    url="https://cloud.google.com/tasks/docs/configuring-queues",
    limits=(
        NumberLimit("maxPerSecond", "Most tasks a second of one queue"),
        NumberLimit("maxAtOnce", "Most tasks at once of one queue"),
        NumberLimit("maxAttempts", "Most attempts of one task"),
    ),
    applies=lambda resource_type: resource_type in (_QUEUE, _JOB),
    check=_check,
)

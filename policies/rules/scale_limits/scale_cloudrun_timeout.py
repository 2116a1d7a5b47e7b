"""No request or task of Cloud Run runs past a cap."""

from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NumberLimit
from policies.shared.rule import ResourceRule
from resources.durations import seconds
from resources.properties import MISSING, UNKNOWN, Absence, number, show
from resources.resource import Resource

_SERVICE: Final = "gcp:cloudrunv2/service:Service"
_JOB: Final = "gcp:cloudrunv2/job:Job"
_TIMEOUTS: Final[Mapping[str, tuple[tuple[str, ...], float, str]]] = {
    # Path, the platform's default in seconds, and its limit.
    _SERVICE: (("template", "timeout"), 300, "maxSeconds"),
    _JOB: (("template", "template", "timeout"), 600, "maxTaskSeconds"),
}


# Path, what it is called, its limit, and the platform's default.
_TASKS: Final = (
    (("template", "template", "maxRetries"), "retries of a task", "maxRetries", 3.0),
    (("template", "taskCount"), "number of tasks", "maxTasks", 1.0),
    (("template", "parallelism"), "number of tasks at once", "maxTasks", 0.0),
)


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    yield from _timeout(resource, limits)
    for path, what, name, default in _TASKS if resource.type == _JOB else ():
        cap, found = limits.number(name), number(resource.props, *path)
        value = default if found is MISSING else found
        if isinstance(value, Absence):
            yield f"its {what} is {value.value}, allowed {show(cap)}"
        elif value > cap:
            yield f"its {what} is {show(value)}, allowed {show(cap)}"


def _timeout(resource: Resource, limits: Limits) -> Iterator[str]:
    path, default, name = _TIMEOUTS[resource.type]
    cap = limits.number(name)
    timeout = seconds(resource.props, *path)
    if timeout is UNKNOWN:
        yield f"its timeout is not known during preview, allowed {show(cap)} s"
        return
    value = default if timeout is MISSING else timeout
    if value > cap:
        origin = " (the platform's default)" if timeout is MISSING else ""
        yield f"its timeout is {show(value)} s{origin}, allowed {show(cap)} s"


RULE: Final = ResourceRule(
    id="scale-cloudrun-timeout",
    display_name="Cloud Run timeouts are capped",
    description=(
        "A request to a Cloud Run service and a task of a job end within their caps, and a job has "
        "few tasks that are tried again few times."
    ),
    why=(
        "Requests and tasks that hang hold instances, and instances cost money and block scaling "
        "down."
    ),
    remediation=(
        "set the timeout, for instance 300s, and maxRetries and taskCount of a job, to plain "
        "values within the caps."
    ),
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/run/docs/configuring/request-timeout",
    limits=(
        NumberLimit("maxSeconds", "Longest request, in seconds"),
        # More is a preview: https://cloud.google.com/run/docs/configuring/task-timeout
        NumberLimit("maxTaskSeconds", "Longest task of a job, in seconds", default=86400),
        NumberLimit("maxRetries", "Most retries of a task of a job", default=3),
        NumberLimit("maxTasks", "Most tasks of a job"),
    ),
    applies=lambda resource_type: resource_type in _TIMEOUTS,
    check=_check,
)

"""How many instances of a Cloud Run service, worker pool or job may run at once."""

from typing import Final

from resources.properties import MISSING, UNKNOWN, Absence, Props, get, number, text

_ANNOTATION: Final = "autoscaling.knative.dev/maxScale"


def max_instances(props: Props) -> float | Absence:
    """Return the most instances at once, `MISSING` if nothing bounds them.

    A service has one bound per revision and one over all of them: the lower one holds.
    """
    if get(props, "template", "template") is not MISSING:
        return _job_tasks(props)
    manual = number(props, "scaling", "manualInstanceCount")
    if text(props, "scaling", "scalingMode") == "MANUAL":
        return manual
    bounds = (
        number(props, "scaling", "maxInstanceCount"),
        number(props, "template", "scaling", "maxInstanceCount"),
        number(props, "template", "metadata", "annotations", _ANNOTATION),
    )
    # 0 is what outputs hold for a bound that is not set.
    known = [bound for bound in bounds if isinstance(bound, float) and bound > 0]
    if known:
        return min(known)
    return UNKNOWN if UNKNOWN in bounds else manual


def _job_tasks(props: Props) -> float | Absence:
    tasks = number(props, "template", "taskCount")
    at_once = number(props, "template", "parallelism")
    if UNKNOWN in (tasks, at_once):
        return UNKNOWN
    all_tasks = tasks if isinstance(tasks, float) and tasks > 0 else 1.0
    return min(all_tasks, at_once) if isinstance(at_once, float) and at_once > 0 else all_tasks

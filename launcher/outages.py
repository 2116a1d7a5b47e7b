"""What stops serving by a plan."""

from collections.abc import Iterator
from typing import Final

from plans.picture import models_changed
from plans.plan import Plan, kind_of
from plans.sections import nodes_made_anew, running_on
from resources.gpus import NODE_POOL

_SERVES: Final = frozenset({"Deployment", "LeaderWorkerSet"})
_MODEL_SERVER: Final = "inference:index:ModelServer$"
_GUIDE: Final = "docs/rollouts.md says how to go without"


def outages(plan: Plan) -> str:
    """Return what serves now and is deleted, replaced or moved, a line each, or ''."""
    lines = stopping(plan)
    listed = "".join(f"  ! {line}\n" for line in lines)
    return f"Stops serving ({_GUIDE}):\n{listed}" if lines else ""


def stopping(plan: Plan) -> list[str]:
    """Return what serves now and is deleted, replaced or moved, and how."""
    return list(dict.fromkeys(_lines(plan)))


def _lines(plan: Plan) -> Iterator[str]:
    for model in models_changed(plan)[1]:
        yield f"{model}: no gateway knows this model any more"
    for step in plan.changes:
        running = sorted(running_on(plan, step)) if step.type == NODE_POOL else []
        if running and nodes_made_anew(step):
            yield f"{step.label} makes its nodes anew, one after the other: {', '.join(running)}"
        if step.operation not in ("delete", "replace") or step.before is None:
            continue
        if kind_of(step.type) in _SERVES and _MODEL_SERVER in step.urn:
            yield f"{step.label} is {step.operation}d: its replicas end before others are loaded"
        elif running:
            yield f"{step.label} is {step.operation}d, and with it {', '.join(running)}"

"""The plan of a stack: what the engine would do, resource by resource."""

from collections.abc import Mapping

from pulumi.automation import EngineEvent

from launcher.operations import opened
from launcher.paths import StackPaths

UNCHANGED = frozenset({"same", "read"})


def plan_of(places: StackPaths) -> Mapping[str, frozenset[str]]:
    """Return the operations planned for each resource by its URN; those that stay are not in it.

    A replacement is `replace` with its steps. The engine's own resources are left out.
    """
    planned: dict[str, set[str]] = {}

    def take(event: EngineEvent) -> None:
        if event.resource_pre_event is None:
            return
        metadata = event.resource_pre_event.metadata
        operation = str(getattr(metadata.op, "value", metadata.op))
        if operation not in UNCHANGED and not metadata.type.startswith("pulumi:pulumi:"):
            planned.setdefault(metadata.urn, set()).add(operation)

    with opened(places) as (stack, _):
        stack.preview(on_event=take, color="never")
    return {urn: frozenset(operations) for urn, operations in planned.items()}

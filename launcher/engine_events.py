"""Takes a plan from the engine's events."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from pulumi.automation.events import EngineEvent, StepEventStateMetadata

from plans.plan import Recorder


def record_into(recorder: Recorder) -> Callable[[EngineEvent], None]:
    """Return what takes an event into the recorder."""

    def take(event: EngineEvent) -> None:
        if event.resource_pre_event is None:
            return
        step = event.resource_pre_event.metadata
        details = step.detailed_diff or step.diffs or ()
        replacing = "replace" in str(step.op.value)
        changed = (step.keys or ()) if replacing else details
        old, new = state_of(step.old), state_of(step.new)
        recorder.take(str(step.op.value), step.urn, step.type, old, new, changed)

    return take


def state_of(state: StepEventStateMetadata | None) -> Mapping[str, Any] | None:
    """Return what a plan keeps of one side of a step."""
    kept = ("inputs", "outputs", "parent", "protect", "provider")
    return {key: getattr(state, key) for key in kept} if state else None


def dependency_graph(recorded: Iterable[Mapping[str, Any]]) -> Mapping[str, Mapping[str, Any]]:
    """Return what the resources of a state need, as the packs tell it of a preview."""
    needs: dict[str, list[str]] = {}
    properties: dict[str, Mapping[str, list[str]]] = {}
    for each in recorded:
        named: dict[str, list[str] | None] = each.get("propertyDependencies") or {}
        properties[each["urn"]] = {name: urns for name, urns in named.items() if urns}
        needs[each["urn"]] = list(dict.fromkeys(dependencies_of(each)))
    return {"needs": needs, "properties": properties}


def dependencies_of(resource: Mapping[str, Any]) -> Iterator[str]:
    """Yield the URNs that a resource of a state needs."""
    yield from resource.get("dependencies") or ()
    named: Mapping[str, Sequence[str] | None] = resource.get("propertyDependencies") or {}
    for urns in named.values():
        yield from urns or ()
    if resource.get("provider"):
        yield str(resource["provider"]).rpartition("::")[0]

"""What was changed or deleted by hand: compares the cloud with the state, and changes neither."""

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pulumi import automation
from pulumi.automation.events import EngineEvent, StepEventMetadata

from catalog.config_folder import make_command
from catalog.words import plural
from launcher.audit_log import Entry, last_changes
from launcher.changes import changed_values
from launcher.console import show
from launcher.engine import open_stack_on_gcp, reason_of
from launcher.engine_events import dependency_graph, state_of
from launcher.operations import opened
from launcher.paths import StackPaths
from launcher.problem import LaunchError
from plans.drift import CLASSES, Drift, drifts
from plans.plan import Plan, Recorder, plan_of, walk
from policies.engine.environment import settings_of
from policies.engine.packs import ALL, rules_of
from policies.reports.run import Finding
from policies.reports.state import judge
from sandbox.gcp.facts import facts_of

_PLACE = re.compile(r"\[\d+\]")
OnEvent = Callable[[EngineEvent], None]
Recorded = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Differences:
    """What the cloud has otherwise than the state."""

    plan: Plan
    found: Sequence[Drift]
    changed: Mapping[str, str]
    """What changed of each, in words, by URN."""
    findings: Mapping[str, Sequence[Finding]]
    """What the policies find in the cloud and do not in the state, by URN."""


def drift(places: StackPaths, cloud: str) -> None:
    """Print what the cloud has otherwise than the state, by class, who did it, and what mends it.

    Raises LaunchError if anything differs, or if the cloud can't be read.
    """
    show(f"comparing {places.stack} with {cloud} ...", sys.stderr)
    compared = differences(places, cloud)
    found = compared.found
    if not found:
        show(f"Nothing of {places.stack} differs from the state.")
        return
    by = last_changes([each.step for each in found]) if cloud == "gcp" else {}
    for kind in CLASSES:
        group = [each for each in found if each.classes[0] == kind]
        if group:
            show(f"\n{kind.capitalize()}:")
        for each in group:
            show("\n".join(lines_of(compared, each, by.get(each.step.urn))))
    beside = [
        each
        for urn, several in compared.findings.items()
        if urn not in {each.step.urn for each in found}
        for each in several
    ]
    if beside:
        show("\nWhat the policies find with it, of resources that are as they were:")
        show("\n".join(f"  {each.subject}: {each.rule['id']}: {each.text}" for each in beside))
    where = f"STACK={places.stack}{' CLOUD=gcp' if cloud == 'gcp' else ''}"
    first = "after the questions above, " if any(each.ask for each in found) else ""
    raise LaunchError(
        f"{plural(len(found), 'resource')} of {places.stack} "
        f"{'differs' if len(found) == 1 else 'differ'} from the state: {first}"
        f"`{make_command(f'refresh {where}')}` and then `{make_command(f'up {where}')}` put back "
        "what the stack file says"
    )


def differences(places: StackPaths, cloud: str) -> Differences:
    """Compare every resource with the state. Raises LaunchError if the cloud can't be read."""
    recorder, told = Recorder(), dict[str, str]()

    def take(event: EngineEvent) -> None:
        if event.res_outputs_event is not None:
            _take(event.res_outputs_event.metadata, recorder, told)

    recorded = _compare(places, cloud, take)
    wired = dependency_graph(recorded)
    plan = plan_of({"stack": places.stack, "steps": recorder.steps, "now": wired, "then": wired})
    if not plan.changes:
        return Differences(plan, (), told, {})
    findings = _findings(places, recorded, recorder)
    return Differences(plan, drifts(plan, findings, _replaced(plan), date.today()), told, findings)


def lines_of(compared: Differences, each: Drift, by: Entry | None = None) -> list[str]:
    """Return one difference as a text has it: what, values, meaning, who, and what to ask."""
    changed = compared.changed[each.step.urn]
    also = f" (also {', '.join(each.classes[1:])})" if each.classes[1:] else ""
    sign = "-" if each.step.operation == "delete" else "~"
    who = f"by {by.who}, {by.when}, {by.method}" if by else ""
    ask = f"ask first: {each.ask}" if each.ask else ""
    below = [f"      {line}" for line in (*each.meaning, who, ask) if line]
    return [f"  {sign} {each.step.label} [{changed}]{also}", *below]


def _take(step: StepEventMetadata, recorder: Recorder, told: dict[str, str]) -> None:
    """Take the comparison of one resource: what was asked for, not what the cloud decides."""
    paths = _inputs_that_differ(step)
    operation = "delete" if step.new is None else "update" if paths else "same"
    sides = state_of(step.old), state_of(step.new)
    recorder.take(operation, step.urn, step.type, *sides, paths)
    told[step.urn] = "deleted" if operation == "delete" else changed_values(step)


def _inputs_that_differ(step: StepEventMetadata) -> list[str]:
    if step.detailed_diff:
        return [path for path, each in step.detailed_diff.items() if each.input_diff]
    old, new = ((state and state.inputs) or {} for state in (step.old, step.new))
    return [path for path in step.diffs or () if old.get(path) != new.get(path)]


def _compare(places: StackPaths, cloud: str, take: OnEvent) -> Recorded:
    """Let the engine read every resource and tell what differs; return what the state holds."""
    if cloud != "gcp":
        if not places.checkpoint.exists():
            raise places.missing("yet")
        with opened(places) as (stack, _):
            stack.preview_refresh(on_event=take, color="never")
        return places.recorded()
    stack, recorded, config = open_stack_on_gcp(places)
    try:
        stack.preview_refresh(on_event=take, color="never", config_file=config)
    except automation.CommandError as problem:
        raise LaunchError(f"{places.stack} can't be compared: {reason_of(problem)}") from problem
    return recorded


def _findings(
    places: StackPaths, recorded: Recorded, recorder: Recorder
) -> Mapping[str, Sequence[Finding]]:
    """Return what the rules find in the cloud and do not in the state, by URN."""
    rules, settings = rules_of(ALL), settings_of(places.environment)
    changed = [_in_the_cloud(each, recorder.steps.get(each["urn"])) for each in recorded]
    there = judge([each for each in changed if each], rules, settings).found
    known = {(each.rule["id"], each.urn) for each in judge(recorded, rules, settings).found}
    found: dict[str, list[Finding]] = {}
    for each in there:
        if (each.rule["id"], each.urn) not in known:
            found.setdefault(each.urn, []).append(each)
    return found


def _in_the_cloud(each: Mapping[str, Any], step: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Return a resource of the state as the cloud has it; nothing where it is gone.

    Only what differs is taken over: the engine's events have no secrets.
    """
    if step is None or step["operation"] == "same":
        return each
    if step["operation"] == "delete":
        return {}
    names = {str(walk(path)[0]) for path in step["changed"]}
    sides = {
        side: (each.get(side) or {})
        | {key: value for key, value in (step["new"][side] or {}).items() if key in names}
        for side in ("inputs", "outputs")
    }
    return {**each, **sides}


def _replaced(plan: Plan) -> frozenset[str]:
    """Return the URNs of what is made anew when it is put back."""
    return frozenset(
        each.urn
        for each in plan.changes
        if each.type.startswith("gcp:") and (facts := facts_of(each.type))
        for path in each.changed
        if facts.at(_PLACE.sub("", path)).replaces
    )

"""What the cloud has otherwise than the state: compares them, and changes neither."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pulumi import automation
from pulumi.automation.events import EngineEvent, StepEventMetadata

from launcher.audit_log import Entry
from launcher.changes import changed_values
from launcher.engine_events import dependency_graph, state_of
from launcher.paths import StackPaths
from plans.drift import Drift, drifts
from plans.plan import Plan, Recorder, plan_of, walk
from policies.engine.environment import settings_of
from policies.engine.packs import ALL, rules_of
from policies.reports.run import Finding
from policies.reports.state import judge
from sandbox.gcp.facts import facts_of

_PLACE = re.compile(r"\[\d+\]")
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


def compare(
    stack: automation.Stack,
    places: StackPaths,
    recorded: Recorded,
    *,
    config: str | None = None,
    only: Sequence[str] | None = None,
) -> Differences:
    """Let the engine read what the state holds, `recorded`, or of it the URNs `only`; return what
    differs.

    `config` is the config file where that isn't where Pulumi looks. Raises CommandError if the
    cloud can't be read.
    """
    recorder, told = Recorder(), dict[str, str]()

    def take(event: EngineEvent) -> None:
        if event.res_outputs_event is not None:
            _take(event.res_outputs_event.metadata, recorder, told)

    stack.preview_refresh(
        on_event=take,
        color="never",
        config_file=config,
        target=None if only is None else list(only),
    )
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

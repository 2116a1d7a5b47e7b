"""Turns the engine's events into lines to watch, and keeps what the summary needs."""

import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pulumi.automation.events import EngineEvent, StepEventMetadata

from launcher.changes import changed_values
from launcher.console import Console
from launcher.engine_events import record_into
from plans.plan import Recorder, kind_of
from resources.gpus import CLUSTER
from resources.resource import Resource

SIGNS = {
    "create": "+",
    "create-replacement": "+",
    "update": "~",
    "replace": "±",
    "delete": "-",
    "delete-replaced": "-",
    "import": "=",
    "import-replacement": "=",
    "read": ">",
    "refresh": "~",
}
QUIET = {"same", "replace", "discard", "discard-replaced", "remove-pending-replace"}
HEARTBEAT_SECONDS = 5
# What the engine says beside every cause, and where it found the starter of the policy packs.
NOISE = (
    *("update failed", "preview failed", "using pulumi-analyzer-policy-python from"),
    *("Resource monitor has terminated", "an unhandled error occurred: Resource monitor has"),
)
# Said of every object in a cluster that is made anew; an error where the engine had to foresee it.
UNFORESEEN = "The provider for this resource has inputs that are not known during preview"
STACK_TYPE = "pulumi:pulumi:Stack"


@dataclass
class Progress:
    """Prints a line per step as it ends, and gathers resources, changes and problems.

    `changes` counts the steps that change something, by operation. `resources` maps the URN of
    every resource that the program wants to its inputs; `outputs` are the stack's, once it has
    them. `about` is how many resources there may be, 0 where nobody knows.
    """

    preview: bool
    screen: Console = field(default_factory=Console)
    about: int = 0
    changes: Counter[str] = field(default_factory=Counter)
    resources: dict[str, Resource] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    errors: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    advice: list[str] = field(default_factory=list)
    packs: dict[str, str] = field(default_factory=dict)
    running: dict[str, tuple[str, float]] = field(default_factory=dict[str, tuple[str, float]])
    passed: set[str] = field(default_factory=set[str])
    lines: list[str] = field(default_factory=list[str])
    recorder: Recorder = field(default_factory=Recorder)
    interrupted: bool = False
    _last: float = field(default_factory=time.monotonic)
    _ended: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Progress":
        threading.Thread(target=self._beat, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.screen.status("")

    def say(self, line: str) -> None:
        """Print one line at once."""
        self._last = time.monotonic()
        self.screen.tell(line)

    def on_event(self, event: EngineEvent) -> None:
        """Take an engine event."""
        record_into(self.recorder)(event)
        if event.resource_pre_event is not None:
            self._started(event.resource_pre_event.metadata)
        elif event.res_outputs_event is not None:
            self._finished(event.res_outputs_event.metadata)
        elif event.res_op_failed_event is not None:
            self.running.pop(event.res_op_failed_event.metadata.urn, None)
        elif event.diagnostic_event is not None:
            self._diagnosed(event.diagnostic_event)
        elif event.policy_event is not None:
            self._judged(event.policy_event)
        elif event.summary_event is not None:
            self.packs = {
                name.partition("|")[0]: version
                for name, version in (event.summary_event.policy_packs or {}).items()
            }

    def _started(self, step: StepEventMetadata) -> None:
        operation = str(step.op.value)
        if operation not in {"delete", "delete-replaced"} and step.new is not None:
            self.resources[step.urn] = Resource(
                step.type, name_of(step.urn), step.urn, step.new.inputs or {}
            )
        if operation in QUIET or step.type == STACK_TYPE:
            self.passed.add(step.urn)
        elif self.preview:
            self._changed(operation, step)
        else:
            self.running[step.urn] = operation, time.monotonic()
        self._show()

    def _finished(self, step: StepEventMetadata) -> None:
        if step.type == STACK_TYPE and step.new is not None:
            self.outputs = step.new.outputs or {}
        operation, _ = self.running.pop(step.urn, ("", 0.0))
        self.passed.add(step.urn)
        if operation and (operation != "refresh" or step.diffs or step.detailed_diff):
            self._changed(operation, step)

    def _changed(self, operation: str, step: StepEventMetadata) -> None:
        self.changes[operation] += 1
        self.passed.add(step.urn)
        sign = SIGNS.get(operation, "?")
        told = operation in {"update", "refresh", "create-replacement"}
        values = changed_values(step) if told else ""
        detail = f" [{values}]" if values else ""
        count = sum(self.changes.values())
        beginning, end = f"  {sign} {count:4d} ", f" {name_of(step.urn)}{detail}"
        self._last = time.monotonic()
        self.lines.append(f"{beginning}{kind_of(step.type)}{end}")
        self.screen.detail(f"{beginning} {short_type(step.type)} {end}")

    def _diagnosed(self, event: Any) -> None:
        text = str(event.message).strip()
        if text.startswith(NOISE) or text.endswith("context canceled"):
            return
        if text.startswith(UNFORESEEN):
            if event.severity != "error":
                return
            text = self._unforeseen()
        if event.severity == "error" and text:
            name = f"{name_of(event.urn)}: " if event.urn and STACK_TYPE not in event.urn else ""
            self.errors.append(f"{name}{text}")
        elif event.severity == "warning" and text:
            self.say(f"  warning: {text}")

    def _unforeseen(self) -> str:
        """Return what stands behind the engine's words about a provider: a cluster made anew."""
        clusters = [
            f"{name_of(urn)} (for another {', '.join(step['changed'])})"
            for urn, step in self.recorder.steps.items()
            if step["type"] == CLUSTER and step["operation"] == "replace"
        ]
        return (
            f"is to be made anew, and so is a cluster: {', '.join(clusters) or 'not seen yet'}. "
            "What of the cluster goes with it no preview can tell: keep that as it is, or destroy "
            "the stack first"
        )

    def _judged(self, event: Any) -> None:
        # A message begins with the rule's sentence, which says nothing of the resource.
        told = str(event.message).strip().partition("\n")
        line = f"{event.policy_name}: {told[2].strip() or told[0]}"
        kind = self.violations if event.enforcement_level == "mandatory" else self.advice
        if line not in kind:
            kind.append(line)

    def _beat(self) -> None:
        while not self._ended.wait(1):
            self._show()
            if self.running and time.monotonic() - self._last > HEARTBEAT_SECONDS:
                first = name_of(next(iter(self.running)))
                self._last = time.monotonic()
                self.screen.detail(f"  ... {len(self.running)} still going, among them {first}")

    def _show(self) -> None:
        """Show how far it is, and what is waited for longest."""
        of_about = f" of about {self.about}" if self.about > len(self.passed) else ""
        waiting = list(self.running.items())
        if waiting:
            urn, (_, since) = waiting[0]
            seconds = round(time.monotonic() - since)
            waited = f", waiting for {name_of(urn)} ({seconds} s)"
        else:
            waited = ""
        self.screen.status(f"  {len(self.passed)}{of_about} done{waited}")


def name_of(urn: str) -> str:
    """Return the name at the end of a URN."""
    return urn.rsplit("::", 1)[-1]


def short_type(token: str) -> str:
    """Return `gcp:container/cluster:Cluster` as `gcp:container:Cluster`."""
    parts = token.split(":")
    if len(parts) == 3:
        parts[1] = parts[1].split("/")[0] if parts[0] == "gcp" else parts[1]
    return ":".join(parts)

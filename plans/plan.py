"""What an update would do to each resource, by the engine's own events.

Values come as the engine tells them: what is marked secret never gets here.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, cast

from pulumi_policy import proxy

from catalog.config_folder import make_command
from resources.properties import get
from resources.resource import Resource, Stack

SECRET: Final = "[secret]"  # noqa: S105 what the engine writes in its place
STACK: Final = "pulumi:pulumi:Stack"
_REPLACES: Final = frozenset(
    {"replace", "create-replacement", "delete-replaced", "import-replacement", "read-replacement"}
)
_OPERATIONS: Final = frozenset({"create", "update", "delete", "import", "read", "same"})
CHANGES: Final = ("replace", "delete", "update", "create", "import")
"""What changes something, what a reader must see first before the rest."""
_PATH: Final = re.compile(r'\["(?P<quoted>[^"]*)"\]|\[(?P<index>\d+)\]|(?P<name>[^.\[\]]+)')
Wiring = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Step:
    """What happens to one resource: a word of `CHANGES`, or `same` or `read`."""

    urn: str
    type: str
    operation: str
    parent: str
    changed: tuple[str, ...]
    """The paths of the inputs that change; of a replacement those that demand it."""
    before: "PlannedResource | None"
    after: "PlannedResource | None"

    @property
    def name(self) -> str:
        """The name in the program."""
        return name_of(self.urn)

    @property
    def label(self) -> str:
        """The kind and the name, as a text shows them."""
        return f"{kind_of(self.type)} {self.name}"

    def values(self, path: str) -> tuple[object, object]:
        """Return the value at a path before and after."""
        sides = (self.before, self.after)
        old, new = (get(each.inputs if each else {}, *walk(path)) for each in sides)
        return old, new


@dataclass(frozen=True)
class PlannedResource(Resource):
    """A resource with what was asked for beside what the cloud answered."""

    inputs: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True)
class Plan:
    """The steps of an update, and what each resource needs, by URN."""

    stack: str
    steps: tuple[Step, ...]
    needs: Mapping[str, Sequence[str]]

    @cached_property
    def changes(self) -> tuple[Step, ...]:
        """The steps that change something, by what they do and then by name."""
        found = (each for each in self.steps if each.operation in CHANGES)
        return tuple(sorted(found, key=lambda step: (CHANGES.index(step.operation), step.name)))

    @cached_property
    def by_urn(self) -> Mapping[str, Step]:
        """Each step by the URN of its resource."""
        return {each.urn: each for each in self.steps}

    @cached_property
    def before(self) -> Stack:
        """What there is."""
        return Stack(each.before for each in self.steps if each.before)

    @cached_property
    def after(self) -> Stack:
        """What there is to be."""
        return Stack(each.after for each in self.steps if each.after)

    def component_of(self, step: Step) -> str:
        """Return the outermost component that a step's resource is part of, or the resource."""
        current = step
        while (above := self.by_urn.get(current.parent)) and above.type != STACK:
            current = above
        return f"{kind_of(current.type)} {current.name}"

    def with_it(self, step: Step) -> tuple[Step, ...]:
        """Return what is replaced or deleted because it needs what this step takes away."""
        going = {each.urn for each in self.changes if each.operation in ("replace", "delete")}
        others = sorted(going - {step.urn})
        return tuple(self.by_urn[urn] for urn in others if step.urn in self._above(urn))

    def taking(self, *operations: str) -> Iterator[tuple[Step, tuple[Step, ...]]]:
        """Yield the steps that do one of these, each with what goes with it, but for those that go
        with another of them."""
        found = [each for each in self.changes if each.operation in operations]
        taken = {each.urn: self.with_it(each) for each in found}
        below = {other.urn for others in taken.values() for other in others}
        yield from ((each, taken[each.urn]) for each in found if each.urn not in below)

    def _above(self, urn: str) -> frozenset[str]:
        if urn not in self._reach:
            found: set[str] = set()
            waiting = [urn]
            while waiting:
                for each in self.needs.get(waiting.pop(), ()):
                    if each not in found:
                        found.add(each)
                        waiting.append(each)
            self._reach[urn] = frozenset(found)
        return self._reach[urn]

    @cached_property
    def _reach(self) -> dict[str, frozenset[str]]:
        return {}


@dataclass
class Recorder:
    """Gathers the steps of a preview as plain data, which a file can keep."""

    steps: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])

    def take(
        self,
        operation: str,
        urn: str,
        token: str,
        old: Mapping[str, Any] | None,
        new: Mapping[str, Any] | None,
        changed: Iterable[str],
    ) -> None:
        """Take one event; several make a replacement."""
        if operation not in _REPLACES | _OPERATIONS:
            return
        step = self.steps.setdefault(
            urn, {"type": token, "operation": operation, "changed": [], "old": None, "new": None}
        )
        if operation in _REPLACES:
            step["operation"] = "replace"
        step["changed"] = sorted({*step["changed"], *changed})
        step["old"] = old or step["old"]
        step["new"] = new or step["new"]


def write(file: Path, stack: str, recorder: Recorder, now: Wiring, then: Wiring) -> None:
    """Write a plan for its owner alone; `now` and `then` say what resources need, and did."""
    document = {"stack": stack, "steps": recorder.steps, "now": now, "then": then}
    file.touch(mode=0o600)
    file.write_text(json.dumps(document), encoding="utf-8")


def read(file: Path) -> Plan:
    """Return the plan in a file. Raises ValueError where it holds none."""
    try:
        return plan_of(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        told = f"{file} holds no plan ({problem}): `{make_command('report')}` writes one"
        raise ValueError(told) from problem


def plan_of(document: Mapping[str, Any]) -> Plan:
    """Return the plan that plain data tells of."""
    now, then = document["now"], document["then"]
    # The engine tells of them as it comes to them, differently each time.
    steps = tuple(_step(urn, each, now, then) for urn, each in sorted(document["steps"].items()))
    return Plan(document["stack"], steps, {each.urn: _needs(each, now, then) for each in steps})


def _needs(step: Step, now: Wiring, then: Wiring) -> list[str]:
    """Return what a resource needs on either side: its provider, too."""
    sides = (each for each in (step.before, step.after) if each)
    found = [*now["needs"].get(step.urn, ()), *then["needs"].get(step.urn, ())]
    for each in sides:
        found += [urn for urns in each.dependencies.values() for urn in urns]
        found += [each.provider] if each.provider else []
    return list(dict.fromkeys(found))


def _step(urn: str, step: Mapping[str, Any], now: Wiring, then: Wiring) -> Step:
    sides = (step["old"], then), (step["new"], now)
    before, after = (_resource(urn, step["type"], side, wiring) for side, wiring in sides)
    operation: str = step["operation"]
    if operation == "delete":
        after = None
    state: Mapping[str, Any] = step["new"] or step["old"] or {}
    parent = str(state.get("parent") or "")
    return Step(urn, step["type"], operation, parent, tuple(step["changed"]), before, after)


def _resource(
    urn: str, token: str, state: Mapping[str, Any] | None, wiring: Wiring
) -> PlannedResource | None:
    if state is None:
        return None
    inputs, outputs = (_hidden(state.get(side) or {}) for side in ("inputs", "outputs"))
    wired = cast("Mapping[str, Mapping[str, Sequence[str]]]", wiring["properties"]).get(urn, {})
    return PlannedResource(
        *(token, name_of(urn), urn),
        cast("dict[str, object]", outputs or inputs),
        {name: tuple(urns) for name, urns in wired.items()},
        protected=state.get("protect") is True,
        provider=str(state.get("provider") or "").rpartition("::")[0],
        inputs=cast("dict[str, object]", inputs),
    )


def _hidden(value: object) -> object:
    """Return a value where secrets are unknown."""
    if isinstance(value, dict):
        found = cast("dict[str, object]", value)
        return {key: _hidden(each) for key, each in found.items()}
    if isinstance(value, list):
        return [_hidden(each) for each in cast("list[object]", value)]
    return proxy.UNKNOWN_STRING_VALUE if value == SECRET else value


def asked(stack: Iterable[Resource]) -> Iterator[Resource]:
    """Yield resources by what was asked for alone, as prices go by."""
    for each in stack:
        if isinstance(each, PlannedResource) and not each.type.startswith("pulumi:"):
            yield Resource(each.type, each.name, each.urn, each.inputs)


def walk(path: str) -> list[str | int]:
    """Return the steps of a path as the engine writes it."""
    return [
        int(each["index"]) if each["index"] else each["quoted"] or each["name"]
        for each in _PATH.finditer(path)
    ]


def name_of(urn: str) -> str:
    """Return the name at the end of a URN."""
    return urn.rpartition("::")[2]


def kind_of(token: str) -> str:
    """Return the last word of a type."""
    return token.rpartition(":")[2]

"""Previews a stack with the real provider plugins and says where the sandbox plans otherwise.

Both start from an empty state; the real ones get a made-up token, as a first preview asks no API.
"""

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from pulumi import automation
from pulumi.automation.events import EngineEvent

from catalog.words import plural
from launcher.console import show
from launcher.engine import open_stack, reason_of
from launcher.existing import put_existing
from launcher.paths import StackPaths
from launcher.problem import LaunchError
from launcher.progress import STACK_TYPE, name_of, short_type
from sandbox.providers import serve
from sandbox.values import INTERNAL, UNKNOWN_TEXTS, Value, is_list, is_map
from sandbox.world import World

PLUGINS: Final = ("gcp", "kubernetes")
_TOKEN: Final = {"GOOGLE_OAUTH_ACCESS_TOKEN": "made-up"}
_SHOWN: Final = 5
UNKNOWN: Final = "not known yet"


@dataclass(frozen=True)
class Planned:
    """What a preview says of one resource: the operation, and each output by its path."""

    operation: str
    outputs: Mapping[str, object]


Plan = Mapping[str, Planned]


def verify(places: StackPaths, real: str | None = None) -> None:
    """Print where the two plans differ; `real` is what the engine attaches to as the real ones.

    Raises LaunchError where they differ, or where the real provider plugins can't be had.
    """
    with emptied(places) as empty:
        ours = _with_sandbox(empty)
    with emptied(places) as empty:
        theirs = _plan(empty, real or "", install=real is None)
    lines = differences(ours, theirs)
    if lines:
        listed = "\n".join(f"  - {line}" for line in lines)
        raise LaunchError(
            f"the sandbox plans {places.stack} otherwise than the real providers:\n{listed}"
        )
    show(
        f"The sandbox plans the {plural(len(ours), 'resource')} of {places.stack} "
        "as the real providers do."
    )


def differences(ours: Plan, theirs: Plan) -> list[str]:
    """Return a line for each resource that the two plans see differently."""
    lines: list[str] = []
    for urn in dict.fromkeys((*ours, *theirs)):
        told = list(_between(ours.get(urn), theirs.get(urn)))
        more = f"; {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
        if told:
            type_ = short_type(urn.split("::")[2].rpartition("$")[2])
            lines.append(f"{type_} {name_of(urn)}: {'; '.join(told[:_SHOWN])}{more}")
    return lines


def _between(ours: Planned | None, theirs: Planned | None) -> Iterator[str]:
    if ours is None or theirs is None:
        yield f"only {'the real providers' if ours is None else 'the sandbox'} would make it"
        return
    if ours.operation != theirs.operation:
        yield f"{ours.operation} here, {theirs.operation} there"
    for path in dict.fromkeys((*ours.outputs, *theirs.outputs)):
        here, there = (each.outputs.get(path) for each in (ours, theirs))
        if here != there:
            yield f"{path} is {here!r} here, {there!r} there"


@contextmanager
def emptied(places: StackPaths) -> Generator[StackPaths]:
    """Yield the places of a stack that isn't made yet."""
    with TemporaryDirectory() as folder:
        empty = replace(places, home=Path(folder))
        empty.prepare()
        yield empty


def _with_sandbox(places: StackPaths) -> Plan:
    with World(places.world) as world, serve(world) as servers:
        put_existing(places, world)
        return _plan(places, servers.debug_providers, install=False)


def _plan(places: StackPaths, debug_providers: str, *, install: bool) -> Plan:
    stack = open_stack(places, debug_providers)
    stack.workspace.env_vars = {**stack.workspace.env_vars, **_TOKEN}
    for name in PLUGINS if install else ():
        version = metadata.version(f"pulumi-{name}")
        try:
            stack.workspace.install_plugin(name, f"v{version}")
        except automation.CommandError as problem:
            raise LaunchError(
                f"the real provider plugin {name} {version} can't be installed here "
                f"({reason_of(problem).strip().splitlines()[-1]}): run this on a machine that "
                f"reaches Pulumi's releases, or try `pulumi plugin install resource {name} "
                f"v{version}`; nothing was verified"
            ) from problem
    plan: dict[str, Planned] = {}

    def on_event(event: EngineEvent) -> None:
        if event.res_outputs_event is not None:
            step = event.res_outputs_event.metadata
            if step.type != STACK_TYPE and step.new is not None:
                outputs = dict(_flat("", dict(step.new.outputs or {})))
                plan[step.urn] = Planned(str(step.op.value), outputs)

    try:
        stack.preview(on_event=on_event, color="never")
    except automation.CommandError as problem:
        raise LaunchError(f"the preview of {places.stack} fails: {reason_of(problem)}") from problem
    return plan


def _flat(path: str, value: Value) -> Iterator[tuple[str, object]]:
    if is_map(value) and value:
        for name, item in value.items():
            if name not in INTERNAL:
                yield from _flat(f"{path}.{name}".lstrip("."), item)
    elif is_list(value) and value:
        for index, item in enumerate(value):
            yield from _flat(f"{path}[{index}]", item)
    elif value not in (None, [], {}):
        yield path, UNKNOWN if isinstance(value, str) and value in UNKNOWN_TEXTS else value

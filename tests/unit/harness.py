"""Runs a program under mocks and records each resource as the engine would receive it.

    def test_network(deploy: Deploy) -> None:
        cloud = deploy(lambda: Vpc("net", {...}))
        assert cloud.one("gcp:compute/network:Network").inputs["autoCreateSubnetworks"] is False

Inputs and outputs carry the provider's names (camelCase). Secrets come unwrapped.
"""

import asyncio
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import pulumi
from pulumi.runtime import mocks, rpc
from pytest import MonkeyPatch

from tests.unit.cloud_answers import answer_call, answer_resource

PROJECT = "inference"
STACK = "test"
ROOT_TYPE = "pulumi:pulumi:Stack"
LOOP = asyncio.new_event_loop()


@dataclass(frozen=True)
class Recorded:
    """One registered resource."""

    urn: str
    type: str
    name: str
    custom: bool
    inputs: Mapping[str, Any]
    secret_inputs: frozenset[str]
    outputs: Mapping[str, Any]
    id: str
    parent: str
    """URN."""
    protect: bool
    aliases: tuple[str, ...]
    provider: str
    """`<urn>::<id>` of an explicit provider, else empty."""
    dependencies: frozenset[str]
    """URNs of all that must exist before: depends_on and every input's resources."""
    property_dependencies: Mapping[str, frozenset[str]]
    delete_before_replace: bool
    retain_on_delete: bool
    deleted_with: str
    replace_with: tuple[str, ...]
    ignore_changes: tuple[str, ...]
    replace_on_changes: tuple[str, ...]
    additional_secret_outputs: tuple[str, ...]
    create_timeout: str


@dataclass(frozen=True)
class Call:
    """One invoke (data source)."""

    token: str
    args: Mapping[str, Any]
    provider: str


@dataclass
class Cloud:
    """What a program registered, in the order of registration, and what it returned."""

    resources: list[Recorded] = field(default_factory=list[Recorded])
    calls: list[Call] = field(default_factory=list[Call])
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    """What each component gave to register_outputs, by URN."""
    value: Any = None
    """What the program returned, its outputs resolved."""

    def all(self, type_: str, name: str = ".*") -> list[Recorded]:
        """Return the resources of a type whose whole name matches a pattern, sorted by name."""
        found = [r for r in self.resources if r.type == type_ and re.fullmatch(name, r.name)]
        return sorted(found, key=lambda resource: resource.name)

    def one(self, type_: str, name: str = ".*") -> Recorded:
        """Return the only resource of a type whose whole name matches a pattern."""
        found = self.all(type_, name)
        assert len(found) == 1, (
            f"expected one {type_} named {name}, found {[r.name for r in found]} among "
            f"{sorted(f'{r.type} {r.name}' for r in self.resources)}"
        )
        return found[0]

    def by_urn(self, urn: str) -> Recorded:
        """Return the resource of a URN."""
        return next(r for r in self.resources if r.urn == urn)

    def children(self, component: Recorded) -> list[Recorded]:
        """Return the resources directly under a component."""
        return [r for r in self.resources if r.parent == component.urn]

    def requires(self, later: Recorded, earlier: Recorded) -> bool:
        """Return whether `later` is created after (and destroyed before) `earlier`."""
        seen: set[str] = set()
        waiting = [later.urn]
        known = {r.urn: r for r in self.resources}
        while waiting:
            urn = waiting.pop()
            if urn in seen or urn not in known:
                continue
            seen.add(urn)
            if earlier.urn in known[urn].dependencies:
                return True
            waiting.extend(known[urn].dependencies)
        return False


class Deploy(Protocol):
    """The `deploy` fixture."""

    def __call__(
        self,
        program: Callable[[], Any],
        *,
        answers: Mapping[str, Mapping[str, Any]] | None = None,
        preview: bool = False,
    ) -> Cloud:
        """Run `program`; `answers` adds outputs by type or by invoke token."""
        ...


def _plain(value: Any) -> Any:
    plain: Any = rpc.unwrap_rpc_secret(value)
    if isinstance(plain, dict):
        mapping = cast("dict[str, Any]", plain)
        return {key: _plain(item) for key, item in mapping.items()}
    if isinstance(plain, list):
        return [_plain(item) for item in cast("list[Any]", plain)]
    return plain


class _Mocks(mocks.Mocks):
    def __init__(self, answers: Mapping[str, Mapping[str, Any]]) -> None:
        self.answers = answers

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        inputs = _plain(args.inputs)
        id_, computed = answer_resource(args.typ, args.name, inputs)
        return args.resource_id or id_, {**computed, **inputs, **self.answers.get(args.typ, {})}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        given = self.answers.get(args.token)
        return dict(given) if given else answer_call(args.token, _plain(args.args)), []


class RecordingMonitor(mocks.MockMonitor):
    """A mock monitor that keeps what `MockResourceArgs` leaves out."""

    def __init__(self, answers: Mapping[str, Mapping[str, Any]]) -> None:
        super().__init__(_Mocks(answers))
        self.cloud = Cloud()

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """Make a URN as the engine does: the stack's own type is no part of it."""
        above = parent.split("::")[2] if parent else ROOT_TYPE
        types = type_ if above == ROOT_TYPE else f"{above}${type_}"
        return f"urn:pulumi:{STACK}::{PROJECT}::{types}::{name}"

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the SDK's name
        """Record a registration."""
        response = super().RegisterResource(request)
        if request.type == ROOT_TYPE:
            return response
        inputs = rpc.deserialize_properties(request.object)
        self.cloud.resources.append(
            Recorded(
                urn=response.urn,
                type=request.type,
                name=request.name,
                custom=request.custom,
                inputs=_plain(inputs),
                secret_inputs=frozenset(k for k, v in inputs.items() if rpc.is_rpc_secret(v)),
                outputs=_plain(rpc.deserialize_properties(response.object)),
                id=response.id,
                parent=request.parent,
                protect=request.protect,
                aliases=(*request.aliasURNs, *(str(alias) for alias in request.aliases)),
                provider=request.provider,
                dependencies=frozenset(request.dependencies),
                property_dependencies={
                    name: frozenset(found.urns)
                    for name, found in request.propertyDependencies.items()
                },
                delete_before_replace=request.deleteBeforeReplace,
                retain_on_delete=request.retainOnDelete,
                deleted_with=request.deletedWith,
                replace_with=tuple(request.replace_with),
                ignore_changes=tuple(request.ignoreChanges),
                replace_on_changes=tuple(request.replaceOnChanges),
                additional_secret_outputs=tuple(request.additionalSecretOutputs),
                create_timeout=request.customTimeouts.create,
            )
        )
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - the SDK's name
        """Record the outputs of a component."""
        self.cloud.outputs[request.urn] = _plain(rpc.deserialize_properties(request.outputs))
        return super().RegisterResourceOutputs(request)

    def Invoke(self, request: Any) -> Any:  # noqa: N802 - the SDK's name
        """Record a call."""
        args = _plain(rpc.deserialize_properties(request.args))
        self.cloud.calls.append(Call(request.tok, args, request.provider))
        return super().Invoke(request)


def run(
    program: Callable[[], Any],
    *,
    answers: Mapping[str, Mapping[str, Any]] | None = None,
    preview: bool = False,
) -> Cloud:
    """Run a program under mocks. See `Deploy`."""
    # `asyncio.run` in a test before leaves no loop, and Pulumi makes none.
    asyncio.set_event_loop(LOOP)
    monitor = RecordingMonitor(answers or {})
    mocks.set_mocks(monitor.mocks, project=PROJECT, stack=STACK, preview=preview, monitor=monitor)

    def keep(value: Any) -> None:
        monitor.cloud.value = value

    @mocks.test
    def body() -> pulumi.Output[None]:
        return pulumi.Output.from_input(program()).apply(keep)

    # Else the SDK tells the engine where in the program each resource is made: a third of the time.
    with MonkeyPatch.context() as patch:
        patch.setattr(sys, "tracebacklimit", 1, raising=False)
        body()
    return monitor.cloud

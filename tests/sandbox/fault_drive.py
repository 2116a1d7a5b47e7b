"""A stack's calls one by one, each befallen by each fault that it can be, then mended.

What an `up` has made is made again in an empty world, in its order, by the providers' own methods;
then it is deleted, in the opposite order. Before each call the world is remembered, and each fault
begins from there: what is wanted is what the call makes of it without a fault.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import grpc
from pulumi.runtime.proto import provider_pb2

from sandbox.faults import Befallen, Faults, Planned, befalling
from sandbox.gcp.effects.cluster import CLUSTER
from sandbox.gcp.services import SERVICE
from sandbox.providers.base import Wire
from sandbox.providers.gcp import GcpProvider
from sandbox.providers.kubernetes import KubernetesProvider
from sandbox.providers.status import status_type
from sandbox.values import Values, as_map, from_struct, is_list, is_map, plain_map, to_struct
from sandbox.world import EXISTING, LEFT, CloudResource, World
from tests.sandbox.clusters import kubeconfig

RIDDEN: Final = "ridden out by the provider"
AGAIN: Final = "run again"
TAKEN: Final = "taken over by hand, run again"
TWICE: Final = "made twice: one deleted by hand"
PROTECTED: Final = "protected: stays"
_FIRST: Final = ("description", "displayName", "labels", "userLabels", "resourceLabels", "title")
_Rows = frozenset[tuple[str, ...]]


class WrongError(AssertionError):
    """A fault after which the wanted state isn't reached; `str()` says how."""


class _RefusedError(Exception):
    """What a provider answers instead; `kept` is the id that the state holds all the same."""

    def __init__(self, details: str, kept: str = "") -> None:
        super().__init__(details)
        self.kept = kept


@dataclass(frozen=True)
class Row:
    """What came of one fault on one call of one resource."""

    type: str
    name: str
    verb: str
    fault: str
    outcome: str
    told: str = ""


class _Context:
    """What the wire asks of a connection."""

    def __init__(self, peer: str) -> None:
        self._peer = peer

    def peer(self) -> str:
        return self._peer

    def abort(self, code: grpc.StatusCode, details: str) -> None:
        if code == grpc.StatusCode.INTERNAL:
            raise WrongError(details)
        raise _RefusedError(details)

    def abort_with_status(self, status: Any) -> None:
        told = status_type().FromString(status.trailing_metadata[0][1])
        detail = provider_pb2.ErrorResourceInitFailed()
        told.details[0].Unpack(detail)
        raise _RefusedError(status.details, detail.id)


@dataclass
class Drive:
    """A stack's resources, and a world of their own in `folder` for them."""

    made: Sequence[CloudResource]
    providers: Sequence[Mapping[str, Any]]
    world: World
    rows: list[Row] = field(default_factory=list[Row])
    _wires: dict[str, Wire] = field(default_factory=dict[str, Wire])
    _reached: set[str] = field(default_factory=set[str])

    @classmethod
    def of(cls, world: Path, state: Path, folder: Path) -> "Drive":
        """Return the drive of what an `up` has made, by its world and its state."""
        with World(world) as recorded:
            made = [each for each in recorded.all() if each.owner == "pulumi"]
        resources = json.loads(state.read_text())["checkpoint"]["latest"]["resources"]
        providers = [each for each in resources if each["type"].startswith("pulumi:providers:gcp")]
        copy = folder / "world.db"
        with sqlite3.connect(world) as source, sqlite3.connect(copy) as target:
            source.backup(target)
            target.execute("DELETE FROM resources WHERE owner != ?", (EXISTING,))
            target.execute("DELETE FROM enabled_apis")
        opened = World(copy)
        drive = cls(made, providers, opened)
        for provider in (GcpProvider(opened), KubernetesProvider(opened, 0.0)):
            drive._wires[provider.package] = Wire(provider)
        return drive

    def run(self, chosen: Sequence[str] | None = None) -> list[Row]:
        """Drive every call, or befall those of the resources with these URNs alone."""
        for each in self.made:
            befall = chosen is None or each.urn in chosen
            self._create(each, befall=befall)
            if befall:
                self._update(each)
        for each in reversed(self.made):
            self._delete(each, befall=chosen is None or each.urn in chosen)
        left = [each.id for each in self.world.all() if each.owner != EXISTING]
        if left:
            raise WrongError(f"all was deleted, and these are left: {left}")
        return self.rows

    def follow(self) -> Iterator[CloudResource]:
        """Yield each resource before it is made, with all in the world that was made before."""
        for each in self.made:
            yield each
            self._make(each)

    def refusal(self, each: CloudResource, without: Iterable[CloudResource]) -> str:
        """Return why the cloud doesn't make a resource while others are missing; '' if it does."""
        memory = self._remember()
        for gone in without:
            self.world.remove(gone.type, gone.id, gone.scope)
            if gone.type == SERVICE:
                self.world.disable_api(gone.project, str(gone.inputs["service"]))
        try:
            self._make(each)
        except _RefusedError as refused:
            return str(refused)
        finally:
            self._restore(memory)
        return ""

    # Calls, as the engine makes them.

    def _call(self, method: str, each: CloudResource, request: Any, faults: Faults | None) -> Any:
        package = each.type.partition(":")[0]
        wire = self._wires[package]
        peer = each.scope or "gcp"
        if peer not in self._reached:
            self._reached.add(peer)
            wire.faults = Faults(self.world)
            arguments = to_struct(self._settings(each))
            configure: Any = wire.Configure
            configure(
                provider_pb2.ConfigureRequest(args=arguments, acceptSecrets=True), _Context(peer)
            )
        wire.faults = faults or Faults(self.world)
        return getattr(wire, method)(request, _Context(peer))

    def _settings(self, each: CloudResource) -> Values:
        if not each.scope:
            return dict(self.providers[0]["inputs"])
        cluster = self.world.get(CLUSTER, each.scope)
        assert cluster is not None
        endpoints = as_map(cluster.outputs["controlPlaneEndpointsConfig"])
        return {"kubeconfig": kubeconfig(endpoints["dnsEndpointConfig"]["endpoint"])}

    def _make(self, each: CloudResource, faults: Faults | None = None) -> str:
        request = provider_pb2.CreateRequest(
            urn=each.urn, type=each.type, properties=to_struct(each.inputs)
        )
        return self._call("Create", each, request, faults).id

    def _change(
        self, each: CloudResource, id_: str, news: Values, faults: Faults | None = None
    ) -> None:
        found = self.world.get(each.type, id_, each.scope)
        olds = found.outputs if found else each.outputs
        request = provider_pb2.UpdateRequest(
            id=id_,
            urn=each.urn,
            type=each.type,
            olds=to_struct(olds),
            old_inputs=to_struct(each.inputs),
            news=to_struct(news),
        )
        self._call("Update", each, request, faults)

    def _drop(self, each: CloudResource, faults: Faults | None = None) -> None:
        request = provider_pb2.DeleteRequest(
            id=each.id,
            urn=each.urn,
            type=each.type,
            properties=to_struct({**each.outputs, **each.inputs}),
            old_inputs=to_struct(each.inputs),
        )
        self._call("Delete", each, request, faults)

    def _take_over(self, each: CloudResource) -> None:
        """Do as `make import` does: read by the id, then change what differs from the program."""
        request = provider_pb2.ReadRequest(id=each.id, urn=each.urn, type=each.type)
        read = self._call("Read", each, request, None)
        if not read.id:
            raise WrongError(f"{each.id} can't be taken over: it isn't there")
        found = plain_map(from_struct(read.inputs))
        self._change(replace(each, inputs=found), read.id, each.inputs)

    # The world, remembered.

    def _state(self) -> _Rows:
        """Return what there is, of whom: what is let go of as if it were the stack's."""
        sql = "SELECT type, id, scope, replace(owner, 'left', 'pulumi'), urn, inputs FROM resources"
        return frozenset(tuple(map(str, row)) for row in self.world.rows(sql))

    def _orphans(self) -> list[CloudResource]:
        return [each for each in self.world.all() if each.owner == LEFT]

    def _remember(self) -> sqlite3.Connection:
        memory = sqlite3.connect(":memory:")
        self.world._connection.backup(memory)  # noqa: SLF001 -- the world of this test alone
        return memory

    def _restore(self, memory: sqlite3.Connection) -> None:
        memory.backup(self.world._connection)  # noqa: SLF001
        self.world.lost.clear()

    # One resource.

    def _create(self, each: CloudResource, *, befall: bool) -> None:
        before = self._remember()
        nothing = self._state()
        id_ = self._make(each)
        if id_ != each.id:
            raise WrongError(f"{each.urn} has the id {id_}, and had {each.id}")
        wanted, after = self._state(), self._remember()
        for fault in befalling(each.type, "create", each.inputs) if befall else ():
            self._restore(before)
            plan = [Planned(fault.name, verb="create")]
            faults = Faults(self.world, plan)
            outcome = self._created(each, faults, nothing, wanted)
            self._note(each, "create", fault.name, outcome, faults.befallen, wanted)
        self._restore(after)

    def _created(self, each: CloudResource, faults: Faults, nothing: _Rows, wanted: _Rows) -> str:
        try:
            made = self._make(each, faults)
        except _RefusedError as refused:
            if refused.kept:
                self._change(each, refused.kept, each.inputs)
                return AGAIN
            return self._made_again(each, faults, nothing, wanted)
        if twice := [orphan for orphan in self._orphans() if orphan.urn == each.urn]:
            for orphan in twice:
                self.world.remove(orphan.type, orphan.id, orphan.scope)
            moved = self.world.get(each.type, made, each.scope)
            assert moved is not None
            self.world.remove(each.type, made, each.scope)
            self.world.put(replace(moved, id=each.id))
            return TWICE
        return RIDDEN

    def _made_again(
        self, each: CloudResource, faults: Faults, nothing: _Rows, wanted: _Rows
    ) -> str:
        (told,) = faults.befallen
        if told.ending == "failed" and self._state() != nothing:
            raise WrongError(f"it failed, and left {_listed(self._state() - nothing)}")
        if told.ending == "forgotten" and self._state() != wanted:
            raise WrongError(f"it is there, with {_listed(self._state() ^ wanted)}")
        again = Faults(self.world, faults.plan)
        try:
            self._make(each, again)
        except _RefusedError as refused:
            if not told.person:
                raise WrongError(f"another run is refused, nobody is told: {refused}") from None
            if each.id not in told.person and told.ending == "forgotten":
                raise WrongError(f"the person isn't told what is there: {told.person}") from None
            if told.ending == "failed":
                # What was deleted is undeleted, or was never deleted.
                self.world.put(replace(each, owner=LEFT))
            self._take_over(each)
            return TAKEN
        return AGAIN

    def _update(self, each: CloudResource) -> None:
        news = self._changed(each)
        if news is None:
            return
        before = self._remember()
        unchanged = self._state()
        self._change(each, each.id, news)
        wanted = self._state()
        for fault in befalling(each.type, "update", news):
            self._restore(before)
            faults = Faults(self.world, [Planned(fault.name, verb="update")])
            outcome = RIDDEN
            try:
                self._change(each, each.id, news, faults)
            except _RefusedError:
                if self._state() not in (unchanged, wanted):
                    raise WrongError("an update that failed left it half changed") from None
                self._change(each, each.id, news, Faults(self.world, faults.plan))
                outcome = AGAIN
            self._note(each, "update", fault.name, outcome, faults.befallen, wanted)
        self._restore(before)

    def _changed(self, each: CloudResource) -> Values | None:
        """Return other inputs that the provider takes in place; None where there are none."""
        before = self._remember()
        for news in _variants(each):
            olds = to_struct(each.inputs)
            check = provider_pb2.CheckRequest(
                urn=each.urn, type=each.type, olds=olds, news=to_struct(news)
            )
            if self._call("Check", each, check, None).failures:
                continue
            diff = self._call(
                "Diff",
                each,
                provider_pb2.DiffRequest(
                    id=each.id,
                    urn=each.urn,
                    type=each.type,
                    olds=to_struct(each.outputs),
                    old_inputs=olds,
                    news=to_struct(news),
                ),
                None,
            )
            if diff.changes != provider_pb2.DiffResponse.DIFF_SOME or diff.replaces:
                continue
            try:
                self._change(each, each.id, news)
            except _RefusedError:
                continue
            finally:
                self._restore(before)
            return news
        return None

    def _delete(self, each: CloudResource, *, befall: bool) -> None:
        found = self.world.get(each.type, each.id, each.scope)
        if found is None:
            return  # its namespace or its cluster took it along
        if protection := _unprotected(each.inputs):
            self._protected(each)
            self._change(each, each.id, protection)
            each = replace(each, inputs=protection, outputs={**each.outputs, **protection})
        before = self._remember()
        there = self._state()
        self._drop(each)
        wanted, after = self._state(), self._remember()
        for fault in befalling(each.type, "delete", each.inputs) if befall else ():
            self._restore(before)
            faults = Faults(self.world, [Planned(fault.name, verb="delete")])
            outcome = RIDDEN
            try:
                self._drop(each, faults)
            except _RefusedError:
                if self._state() not in (there, wanted):
                    raise WrongError("a deletion that failed left it half deleted") from None
                self._drop(each, Faults(self.world, faults.plan))
                outcome = AGAIN
            self._note(each, "delete", fault.name, outcome, faults.befallen, wanted)
        self._restore(after)

    def _protected(self, each: CloudResource) -> None:
        """Hold that no fault deletes what is protected."""
        before = self._remember()
        there = self._state()
        for fault in befalling(each.type, "delete", each.inputs):
            self._restore(before)
            plan = [Planned(fault.name, verb="delete")]
            for _ in range(2):
                try:
                    self._drop(each, Faults(self.world, plan))
                except _RefusedError:
                    continue
                raise WrongError(f"{each.urn}: {fault.name} has deleted what is protected")
            if self._state() != there:
                raise WrongError(f"{each.urn}: {fault.name} has changed what is protected")
            self.rows.append(Row(each.type, _name(each), "delete", fault.name, PROTECTED))
        self._restore(before)

    def _note(
        self,
        each: CloudResource,
        verb: str,
        fault: str,
        outcome: str,
        befallen: Sequence[Befallen],
        wanted: _Rows,
    ) -> None:
        where = f"{each.urn}: {verb}, {fault}"
        if len(befallen) != 1:
            raise WrongError(f"{where}: befell {len(befallen)} calls")
        if self._state() != wanted:
            raise WrongError(f"{where}: not as wanted: {_listed(self._state() ^ wanted)}")
        told = befallen[0].person or befallen[0].message
        self.rows.append(Row(each.type, _name(each), verb, fault, outcome, told))


def _name(each: CloudResource) -> str:
    return each.urn.rpartition("::")[2]


def _listed(rows: _Rows) -> str:
    return ", ".join(sorted(f"{row[0]} {row[1]} ({row[3]})" for row in rows))[:600]


def _unprotected(inputs: Values) -> Values:
    """Return the inputs without what protects from deletion; none where nothing does."""
    lifted: Values = {}
    if inputs.get("deletionProtection") is True:
        lifted["deletionProtection"] = False
    if inputs.get("deletionPolicy") == "PREVENT":
        lifted["deletionPolicy"] = "DELETE"
    return {**inputs, **lifted} if lifted else {}


def _variants(each: CloudResource) -> Iterator[Values]:
    """Yield inputs that differ in one thing, what changes most often first."""
    inputs = each.inputs
    if each.type.startswith("kubernetes:") and is_map(inputs.get("metadata")):
        metadata = as_map(inputs["metadata"])
        labels = {**as_map(metadata.get("labels")), "changed": "yes"}
        yield {**inputs, "metadata": {**metadata, "labels": labels}}
        return
    if not each.type.startswith("kubernetes:"):
        yield {**inputs, "description": "changed"}
        yield {**inputs, "labels": {**as_map(inputs.get("labels")), "changed": "yes"}}
    for name in sorted(inputs, key=lambda key: (key not in _FIRST, key)):
        yield from ({**inputs, name: other} for other in _others(inputs[name]))


def _others(value: Any) -> Iterator[Any]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield value + 1
    elif isinstance(value, str):
        yield f"{value} x"
        yield f"{value}x"
    elif is_list(value):
        for index, item in enumerate(value):
            yield from ([*value[:index], other, *value[index + 1 :]] for other in _others(item))
        if len(value) > 1:
            yield value[:-1]
    elif is_map(value):
        for name, item in value.items():
            yield from ({**value, name: other} for other in _others(item))

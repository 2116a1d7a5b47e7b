"""Plays planned faults on the calls of the engine, as each provider would go through them."""

import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import grpc

from sandbox.errors import CloudError, NotReadyError
from sandbox.faults.known import Fault, Way
from sandbox.faults.plan import Planned
from sandbox.kubernetes.objects import Kind
from sandbox.values import Values
from sandbox.world import LEFT, World

Ending = Literal["ridden out", "failed", "kept", "forgotten", "twice"]
_CODES: Final = {
    "timeout": grpc.StatusCode.DEADLINE_EXCEEDED,
    "quotaExceeded": grpc.StatusCode.PERMISSION_DENIED,
    "accessNotConfigured": grpc.StatusCode.PERMISSION_DENIED,
    "rateLimitExceeded": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "alreadyExists": grpc.StatusCode.ALREADY_EXISTS,
}


@dataclass(frozen=True)
class Call:
    """A call of the engine on a resource, whose inputs are plain; `id` is '' of a new one."""

    verb: str
    token: str
    urn: str
    inputs: Values
    id: str = ""

    @property
    def name(self) -> str:
        """The resource's name in the program."""
        return self.urn.rpartition("::")[2]


@dataclass(frozen=True)
class Befallen:
    """What came of a call that a fault befell.

    `ending`: the provider rode it out; it failed, and another run does it; it failed and the state
    has kept it; it is in the cloud and the state doesn't know it; the provider made it twice.
    `waited` are the seconds that the provider would have spent on asking again.
    """

    call: Call
    fault: Fault
    ending: Ending
    requests: int
    waited: float
    message: str = ""
    id: str = ""

    @property
    def person(self) -> str:
        """What somebody has to do before, or beside, another run; '' where nothing is."""
        if self.ending == "twice":
            return f"the provider has sent it twice: delete {self.id}, which no state knows"
        done = self.fault.way(self.call.token).strikes in ("answer", "waiting")
        if self.ending == "ridden out" or (self.ending == "failed" and done):
            return ""
        return self.fault.person.format(id=self.id or self.call.id or self.call.name)


class Faults:
    """The faults of a plan, over a world that remembers which have been.

    `pace` is how long a second of the provider's waiting takes, in seconds. `befallen` tells what
    came of each.
    """

    def __init__(self, world: World, plan: Collection[Planned] = (), *, pace: float = 0.0) -> None:
        self.world = world
        self.plan: Sequence[Planned] = tuple(plan)
        self.pace = pace
        self.befallen: list[Befallen] = []
        self._lock = threading.Lock()

    def play(self, call: Call, perform: Callable[[], Any]) -> Any:
        """Return the answer to a call, or raise what the provider ends with."""
        planned = self._due(call) if self.plan else None
        return perform() if planned is None else _Befalling(self, planned, call, perform).answer()

    def _due(self, call: Call) -> Planned | None:
        for each in self.plan:
            if each.matches(call.verb, call.token, call.urn, call.inputs):
                with self._lock:
                    calls, struck = self.world.struck(each.key, call.urn)
                    self.world.strike(each.key, call.urn, calls + 1, struck)
                if calls + 1 >= each.call and each.lasts(struck, 0, 0.0):
                    return each
        return None


@dataclass
class _Befalling:
    """One call, request by request."""

    faults: Faults
    planned: Planned
    call: Call
    perform: Callable[[], Any]
    requests: int = 0
    waited: float = 0.0
    made: str = ""

    def answer(self) -> Any:
        """Return the answer, or raise how the provider ends."""
        fault = self.planned.known
        way = fault.way(self.call.token)
        waits = way.retries.waits() if way.retries else iter(())
        world = self.faults.world
        calls, before = world.struck(self.planned.key, self.call.urn)
        while self.planned.lasts(before, self.requests, self.waited):
            self.requests += 1
            struck = before + self.requests
            world.strike(self.planned.key, self.call.urn, calls, struck)
            response = None if way.strikes == "request" else self._performed(way)
            wait = next(waits, None)
            if wait is None:
                raise self._given_up(way, response)
            self.waited += wait
            time.sleep(wait * self.faults.pace)
        response = self._performed(way)
        twice = self.call.verb == "create" and self.made not in ("", response.id)
        self._tell("twice" if twice else "ridden out", "", self.made if twice else "")
        if twice:
            self._let_go()
        return response

    def _performed(self, way: Way) -> Any:
        """Do what was asked. Raises as the cloud does, where it was done before, too."""
        try:
            response = self.perform()
        except CloudError as refused:
            if self.made:
                self._let_go()
                self._tell("forgotten", str(refused), self.made)
            elif self.requests:
                self._tell("failed", str(refused), "")
            raise
        if self.call.verb == "create" and not self.made and way.strikes != "request":
            self.made = response.id
        return response

    def _given_up(self, way: Way, response: Any) -> CloudError:
        kind = Kind(self.call.token)
        is_object = self.call.token.startswith("kubernetes:")
        message = way.says.format(
            kind=kind.name if is_object else self.call.token.rpartition(":")[2],
            name=self.call.name,
            plural=kind.plural if is_object else "",
            version=kind.api_version if is_object else "",
        )
        code = _CODES.get(way.status, grpc.StatusCode.UNAVAILABLE)
        if response is not None and self.call.verb in ("create", "update") and way.left == "kept":
            id_ = self.made or self.call.id
            self._tell("kept", message, id_)
            return NotReadyError(message, id_, response.properties)
        if self.made:
            self._let_go()
        self._tell("forgotten" if self.made else "failed", message, self.made)
        return CloudError(message, code)

    def _let_go(self) -> None:
        """Let the cloud keep what was made, as nothing of the stack's."""
        world = self.faults.world
        for each in world.find_all(self.call.token, self.made):
            if each.urn == self.call.urn:
                world.put(replace(each, owner=LEFT))

    def _tell(self, ending: Ending, message: str, id_: str) -> None:
        fault = self.planned.known
        told = Befallen(self.call, fault, ending, self.requests, self.waited, message, id_)
        self.faults.befallen.append(told)

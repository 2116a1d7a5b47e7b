"""Plans as the engine tells of them, in few words."""

from collections.abc import Mapping, Sequence
from typing import Any

from plans.plan import Plan, Recorder, plan_of

POOL = "gcp:container/nodePool:NodePool"
GRANT = "gcp:projects/iAMMember:IAMMember"
NETWORK = "gcp:compute/network:Network"
CLUSTER = "gcp:container/cluster:Cluster"
COMPONENT = "inference:index:GpuNodePool"


def urn(token: str, name: str, stack: str = "dev") -> str:
    return f"urn:pulumi:{stack}::inference::{token}::{name}"


class Document:
    """Steps, each with what it needs."""

    def __init__(self, stack: str = "dev") -> None:
        self.stack = stack
        self._recorder = Recorder()
        self._needs: dict[str, list[str]] = {}

    def step(
        self,
        operation: str,
        token: str,
        name: str,
        old: Mapping[str, Any] | None = None,
        new: Mapping[str, Any] | None = None,
        *,
        changed: Sequence[str] = (),
        needs: Sequence[str] = (),
        parent: str = "",
    ) -> str:
        """Add a step; return the URN of its resource."""
        own = urn(token, name, self.stack)
        before, after = (_state(inputs, parent) for inputs in (old, new))
        self._recorder.take(operation, own, token, before, after, changed)
        self._needs[own] = list(needs)
        return own

    def data(self) -> dict[str, Any]:
        """Return what the file of the plan holds."""
        wiring = {"needs": self._needs, "properties": {}}
        return {
            "stack": self.stack,
            "steps": self._recorder.steps,
            "now": wiring,
            "then": {"needs": {}, "properties": {}},
        }

    def plan(self) -> Plan:
        return plan_of(self.data())


def _state(inputs: Mapping[str, Any] | None, parent: str) -> dict[str, Any] | None:
    return None if inputs is None else {"inputs": inputs, "outputs": {}, "parent": parent}


def gpu_pool(nodes: int, machine: str = "g2-standard-8", **config: object) -> dict[str, Any]:
    """Return the inputs of a pool of GPU nodes."""
    return {
        "name": "l4",
        "location": "us-central1",
        "nodeLocations": ["us-central1-a"],
        "autoscaling": {"totalMaxNodeCount": nodes},
        "nodeConfig": {"machineType": machine, **config},
    }

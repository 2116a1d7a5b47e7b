"""What somebody does by hand to a sandbox cloud: so that there is drift to tell and to repair."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from resources.gpus import NODE_POOL
from sandbox.world import CloudResource, World

_GRANT: Final = "gcp:projects/iAMMember:IAMMember"
_DEPLOYMENT: Final = "kubernetes:apps/v1:Deployment"
_DATASET: Final = "gcp:bigquery/dataset:Dataset"
Inputs = Mapping[str, Any]


def _larger(inputs: Inputs) -> Inputs:
    scaling = inputs["autoscaling"]
    return {"autoscaling": {**scaling, "totalMaxNodeCount": 10 * scaling["totalMaxNodeCount"]}}


def _to_zero(inputs: Inputs) -> Inputs:
    return {"spec": {**inputs["spec"], "replicas": 0}}


def _noted(_: Inputs) -> Inputs:
    return {"description": "changed by hand"}


_CHANGES: Final[tuple[tuple[str, str, str, Callable[[Inputs], Inputs] | None], ...]] = (
    (NODE_POOL, "GpuNodePool$", "may grow to ten times its nodes", _larger),
    (_GRANT, "", "is taken away", None),
    (_DEPLOYMENT, "ModelServer$", "is scaled to zero", _to_zero),
    (_DATASET, "", "gets another description", _noted),
)
"""Of the first resource of a type whose URN has a part: what is done to it. None deletes it."""


def meddle(world: World) -> Iterator[str]:
    """Do each of the changes that a world has something for; yield what was done."""
    for token, part, told, change in _CHANGES:
        found = next((each for each in world.by_type(token) if part in each.urn), None)
        if found is None:
            continue
        if change is None:
            world.remove(found.type, found.id, found.scope)
        else:
            _put(world, found, change(found.inputs))
        kind, name = found.type.rpartition(":")[2], found.urn.rpartition("::")[2]
        yield f"By hand: {kind} {name} {told}."


def _put(world: World, found: CloudResource, changed: Inputs) -> None:
    inputs, outputs = ({**side, **changed} for side in (found.inputs, found.outputs))
    world.put(replace(found, inputs=inputs, outputs=outputs))

"""Finds pools that select no pods, and routes to pools whose pods serve other models.

The API server accepts both. The first answers nothing, the second what vLLM answers to a name it
does not know: 404.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sandbox.gcp.effects.cluster import CLUSTER
from sandbox.kubernetes.cluster import Cluster
from sandbox.kubernetes.objects import Kind, at, metadata_of, object_id, split_id
from sandbox.values import Values, as_map, is_list, is_map
from sandbox.world import Resource, World

_MODEL_HEADER: Final = "x-gateway-model-name"
_SERVED: Final = "--served-model-name="
_ADAPTERS: Final = "--lora-modules"


@dataclass(frozen=True)
class _Pods:
    """The pods of a workload; `serves` is empty where their arguments tell no model name."""

    namespace: str
    labels: Values
    serves: frozenset[str]


def misdirected(world: World) -> list[str]:
    """Every pool without pods, and every route to a pool of other models, a line each."""
    lines: list[str] = []
    for resource in world.by_type(CLUSTER):
        cluster = Cluster(resource)
        objects = list(world.in_scope(cluster.id))
        workloads = [pods for each in objects for pods in _pods_of(each)]
        pools = {each.id: _selected(each, workloads) for each in _of_kind(objects, "InferencePool")}
        lines += [
            f"InferencePool {pool} in {cluster.id}: spec.selector: no pod has these labels"
            for pool, selected in pools.items()
            if not selected
        ]
        lines += [
            f"HTTPRoute {route.id} in {cluster.id}: {problem}"
            for route in _of_kind(objects, "HTTPRoute")
            for problem in _wrong_models(route, pools)
        ]
    return lines


def _of_kind(objects: Sequence[Resource], kind: str) -> Iterator[Resource]:
    return (each for each in objects if Kind(each.type).name == kind)


def _selected(pool: Resource, workloads: Sequence[_Pods]) -> list[_Pods]:
    labels = as_map(as_map(as_map(pool.inputs.get("spec")).get("selector")).get("matchLabels"))
    return [
        pods
        for pods in workloads
        if pods.namespace == split_id(pool.id)[0] and labels.items() <= pods.labels.items()
    ]


def _wrong_models(route: Resource, pools: Mapping[str, Sequence[_Pods]]) -> Iterator[str]:
    for rule in at(route.inputs, "spec.rules[]"):
        models = {
            str(header["value"])
            for header in at(rule, "matches[].headers[]")
            if header["name"].lower() == _MODEL_HEADER
        }
        for backend in at(rule, "backendRefs[]"):
            namespace = backend.get("namespace") or split_id(route.id)[0]
            pool = object_id(namespace, backend["name"])
            if backend.get("kind") != "InferencePool":
                continue
            for pods in pools.get(pool, ()):
                if pods.serves and (missing := models - pods.serves):
                    yield (
                        f"spec.rules[].backendRefs[]: asks pool {pool} for "
                        f"{', '.join(sorted(missing))}, but its pods serve "
                        f"{', '.join(sorted(pods.serves))}"
                    )


def _pods_of(each: Resource) -> Iterator[_Pods]:
    """The pod templates anywhere in an object: kinds differ in where they have them."""
    waiting: list[Any] = [each.inputs]
    while waiting:
        value = waiting.pop()
        if is_list(value):
            waiting += value
        elif is_map(value):
            spec = as_map(value.get("spec"))
            if "containers" in spec:
                labels = as_map(metadata_of(value).get("labels"))
                yield _Pods(split_id(each.id)[0], labels, _served(spec))
            waiting += value.values()


def _served(pod: Values) -> frozenset[str]:
    names: set[str] = set()
    for container in at(pod, "containers[]"):
        arguments = [str(argument) for argument in at(container, "args[]")]
        served = {arg.removeprefix(_SERVED) for arg in arguments if arg.startswith(_SERVED)}
        if served and _ADAPTERS in arguments:
            adapters = arguments[arguments.index(_ADAPTERS) + 1 :]
            served |= {json.loads(each)["name"] for each in adapters if each.startswith("{")}
        names |= served
    return frozenset(names)

"""Which model names a claim on requests is for."""

from collections.abc import Iterator
from typing import Final

from catalog import conventions
from request_path.matching import Claim
from request_path.objects import Backend, Objects, Pods, Pool, Service
from request_path.pods import model_server, selected_pods, served_models
from resources.properties import UNKNOWN

MODEL_HEADER: Final = conventions.MODEL_HEADER.lower()
BASE_MODEL_HEADER: Final = "x-gateway-base-model-name"
"""The headers that the body-based router sets: the name in the body, or that of its base model."""


def backend_of(claim: Claim, backend: Backend, objects: Objects) -> Pool | Service | None:
    """Return the pool of a backend, or its Service, such as a proxy to a server outside."""
    for target in (*objects.pools, *objects.services):
        if objects.refers(claim.route, backend.reference, target):
            return target
    return None


def servers_behind(service: Service, objects: Objects) -> tuple[str, ...]:
    """Return the servers outside the cluster that the pods of a Service forward to."""
    found = [
        server
        for _, pods in selected_pods(service, objects)
        for config in objects.configs
        if config.beside(service) and config.name in pods.config_maps
        for server in config.servers
    ]
    return tuple(dict.fromkeys(found))


def used_backends(claim: Claim) -> tuple[Backend, ...]:
    """Return the backends that get a share."""
    return tuple(each for each in claim.rule.backends if each.weight != 0)


def pools_of(claim: Claim, objects: Objects) -> Iterator[Pool]:
    """Yield the pools that get a share."""
    for backend in used_backends(claim):
        target = backend_of(claim, backend, objects)
        if isinstance(target, Pool):
            yield target


def reaches_models(claim: Claim, objects: Objects) -> bool:
    """Return whether a claim leads to models: to a pool, to model servers, or by a model's name."""
    named = {header.name for header in claim.match.headers} & {MODEL_HEADER, BASE_MODEL_HEADER}
    kinds = {backend.reference.kind for backend in claim.rule.backends}
    if kinds & {"InferencePool", UNKNOWN} or (kinds and named):
        return True
    targets = (backend_of(claim, each, objects) for each in claim.rule.backends)
    return any(isinstance(each, Service) and any(servers_of(each, objects)) for each in targets)


def servers_of(service: Service, objects: Objects) -> Iterator[Pods]:
    """Yield the pods behind a Service that serve models themselves."""
    pooled = {
        (workload.urn, pods.role)
        for pool in objects.pools
        for workload, pods in selected_pods(pool, objects)
    }
    for workload, pods in selected_pods(service, objects):
        if model_server(pods) is not None or (workload.urn, pods.role) in pooled:
            yield pods


def requested_models(claim: Claim) -> frozenset[str]:
    """Return the model names a claim asks for by header; none where it takes any."""
    return frozenset(
        value for name, value in claim.requests().headers.items() if name == MODEL_HEADER
    )


def models_of(claim: Claim, objects: Objects) -> frozenset[str]:
    """Return the model names that requests of a claim may carry, as far as they can be told."""
    asked = requested_models(claim)
    if asked:
        return asked
    names: set[str] = set()
    for pool in pools_of(claim, objects):
        for _, pods in selected_pods(pool, objects):
            served = served_models(pods)
            if isinstance(served, frozenset):
                names |= served
    return frozenset(names)

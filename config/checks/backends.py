"""What answers a model: replica sets and external backends, their weights and names."""

from collections.abc import Iterator
from typing import Final

from catalog.conventions import dns_label
from catalog.limits.inference import OPENAPI, ROUTE_BACKENDS, ROUTE_MODELS
from catalog.problems import KeyPath, Problem, shown
from config.external_backends import ExternalBackend
from config.known import Known
from config.models import Model

# A Kubernetes name has at most 63 characters; `-endpoint-picker` comes behind.
_LONGEST_LABEL: Final = 47
_OF_REPLICAS: Final = {
    *("source", "memory_gib", "config_json"),
    *("adapters", "drain_seconds", "flow_control", "gated", "max_context", "max_lora_rank"),
    *("objectives", "server_args", "startup_timeout_seconds"),
}


def check_backends(known: Known, name: str, model: Model) -> Iterator[Problem]:
    """Check who answers at all, by which share, and what each way to answer needs."""
    path = ("models", name)
    yield from _check_needs(path, model)
    yield from _check_route(path, model)
    yield from _check_weights(path, model)
    for position, external in enumerate(model.external):
        yield from _check_external(known, (*path, "external", position), name, model, external)


def check_length(path: KeyPath, model: str, backend: str) -> Iterator[Problem]:
    """Check that a name made of a model and its backend is short enough for Kubernetes objects."""
    if len(f"{dns_label(model)}-{backend}") > _LONGEST_LABEL:
        yield Problem(
            (*path, "name"),
            shown(backend),
            f"at most {_LONGEST_LABEL} characters together with the model's name "
            f"'{dns_label(model)}'",
            "give a shorter name: or rename the model",
        )


def _check_needs(path: tuple[str, str], model: Model) -> Iterator[Problem]:
    if not model.backends:
        yield Problem(
            path,
            "neither replica_sets nor external",
            "one of them, or both",
            "add replica_sets to serve it on GPUs or external to send its requests elsewhere",
        )
    elif model.replica_sets:
        if model.source is None:
            yield Problem(
                (*path, "source"), "nothing", "a value where there are replicas", "add it"
            )
    else:
        defaults = Model.model_construct()
        for key in sorted(
            key for key in _OF_REPLICAS if getattr(model, key) != getattr(defaults, key)
        ):
            yield Problem(
                (*path, key),
                shown(getattr(model, key)),
                "a key for models with replica_sets",
                "remove it or add replica_sets",
            )
    if model.adapters and model.replica_sets and model.external:
        yield Problem(
            (*path, "external"),
            "a backend beside adapters",
            "replica sets only, as the backend would be asked for adapters it does not have",
            "serve the adapters by a model of its own",
        )


def _check_route(path: tuple[str, str], model: Model) -> Iterator[Problem]:
    """Check that one route can name all that the model has."""
    backends, names = len(model.backends), 1 + len(model.adapters)
    if ROUTE_BACKENDS.high and backends > ROUTE_BACKENDS.high:
        yield Problem(
            (*path, "replica_sets" if model.replica_sets else "external"),
            f"{backends} backends of one model",
            f"up to {ROUTE_BACKENDS.high}, replica sets and external ones together",
            "remove some, or give a replica set more replicas",
        )
    if ROUTE_MODELS.high and names > ROUTE_MODELS.high:
        yield Problem(
            (*path, "adapters"),
            f"{names - 1} adapters",
            f"up to {ROUTE_MODELS.high - 1} beside the model itself",
            "serve some of them by a model of its own",
        )


def _check_weights(path: tuple[str, str], model: Model) -> Iterator[Problem]:
    backends = model.backends
    kind = "backend" if model.external else "replica set"
    names: set[str] = set()
    for position, backend in enumerate(backends):
        where = _where(path, model, position)
        if backend.name in names:
            yield Problem(
                (*where, "name"),
                f"{shown(backend.name)} again",
                f"a name no other {kind} of the model has",
                "give this one its own name",
            )
        names.add(backend.name)
        if len(backends) > 1 and not backend.has_weight:
            yield Problem(
                (*where, "weight"),
                "nothing",
                f"a whole number from 0 to 100, for every {kind} when there are several",
                "add its percent of the requests",
            )
    total = sum(backend.weight for backend in backends)
    whole = len(backends) == 1 or all(each.has_weight for each in backends)
    if backends and total != 100 and whole:
        yield Problem(
            (*path, "replica_sets" if model.replica_sets else "external"),
            f"weights that add up to {total}",
            "weights that add up to 100",
            "change them",
        )


def _where(path: tuple[str, str], model: Model, position: int) -> KeyPath:
    external = position - len(model.replica_sets)
    if external < 0:
        return (*path, "replica_sets", position)
    return (*path, "external", external)


def _check_external(
    known: Known, path: KeyPath, name: str, model: Model, external: ExternalBackend
) -> Iterator[Problem]:
    yield from check_length(path, name, external.name)
    kinds = [kind for kind in ("vertex_ai", "https") if getattr(external, kind) is not None]
    if len(kinds) != 1:
        yield Problem(
            path,
            " and ".join(kinds) or "neither vertex_ai nor https",
            "one of vertex_ai and https",
            "say where the requests shall go",
        )
    vertex_ai = external.vertex_ai
    if vertex_ai is None or vertex_ai.endpoint == OPENAPI or vertex_ai.region is not None:
        return
    if len(known.region_names(model.regions)) > 1:
        yield Problem(
            (*path, "vertex_ai", "region"),
            f"nothing, while endpoint {vertex_ai.endpoint} is in one region",
            "the endpoint's region, for a model in several",
            "add it",
        )

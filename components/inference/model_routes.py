"""Which backends answer a model name: the routes of the Gateway, and what contradicts itself.

Route matching: https://gateway-api.sigs.k8s.io/reference/spec/#httproute
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any, NotRequired, TypedDict

import pulumi

from catalog.conventions import MODEL_HEADER, NAMESPACE_NAME_LABEL
from catalog.limits.inference import ROUTE_BACKENDS, ROUTE_MODELS, WEIGHT
from catalog.limits.names import KUBERNETES_NAME
from components.inference.custom_resources import GATEWAY, INFERENCE_POOL, SERVICE, Identity
from components.names import dns_label
from components.validation import Problems

API_PATH = "/v1"
"""Path of the OpenAI API. The servers' other paths (metrics, administration) are not routed."""
WHOLE = 100


class Backend(TypedDict):
    """A share of a route's requests."""

    pool: str
    """Name of the pool, or of an external backend."""
    weight: Annotated[int, WEIGHT]
    """Percent of the requests."""


class Route(TypedDict):
    """Model names and the pools that answer them."""

    models: Annotated[Sequence[str], ROUTE_MODELS]
    """Model names clients send: a base model and its adapters, for instance."""
    backends: Annotated[Sequence[Backend], ROUTE_BACKENDS]
    """Pools; their weights add up to 100."""
    namespace: NotRequired[Annotated[str, KUBERNETES_NAME]]
    """Kubernetes namespace of the route and its backends (default: the Gateway's)."""


class External(TypedDict):
    """What a Gateway needs to know about a backend outside the cluster."""

    name: str
    """Name of the backend, for routes to refer to; no pool has it."""
    service: pulumi.Input[str]
    """`ExternalBackend.service_name`: the routes then come after the backend."""
    port: int
    """`ExternalBackend.port`."""


def route_name(route: Route) -> str:
    """Return the name of a route's object: that of its first model."""
    return dns_label(route["models"][0])


def allowed_routes(
    routes: Sequence[Route], namespace: pulumi.Input[str]
) -> Mapping[str, Mapping[str, Any]]:
    """Return what says whose routes a listener takes: those of the Gateway's `namespace`, and of
    the others that have some. A route that moves to one is taken where it was until it is gone."""
    others = sorted({route["namespace"] for route in routes if "namespace" in route})
    if not others:
        return {"namespaces": {"from": "Same"}}
    named = {"key": NAMESPACE_NAME_LABEL, "operator": "In", "values": [namespace, *others]}
    return {"namespaces": {"from": "Selector", "selector": {"matchExpressions": [named]}}}


def route_spec(
    route: Route, gateway: Identity, hostnames: Sequence[str], externals: Mapping[str, External]
) -> dict[str, Any]:
    """Return the spec of the HTTPRoute of a route; `externals` are by name, all others are
    pools."""
    parent = GATEWAY.reference(gateway.name)
    if "namespace" in route:
        parent["namespace"] = gateway.namespace
    return {
        "parentRefs": [parent],
        "hostnames": list(hostnames),
        "rules": [
            {
                "matches": [_match(model) for model in route["models"]],
                "backendRefs": [
                    {**_backend(backend["pool"], externals), "weight": backend["weight"]}
                    for backend in route["backends"]
                ],
            }
        ],
    }


def _backend(name: str, externals: Mapping[str, External]) -> dict[str, Any]:
    external = externals.get(name)
    if external is None:
        return INFERENCE_POOL.reference(name)
    service, port = external["service"], external["port"]
    return {"group": "", "kind": SERVICE.kind, "name": service, "port": port}


def _match(model: str) -> dict[str, Any]:
    return {
        "path": {"type": "PathPrefix", "value": API_PATH},
        "headers": [{"type": "Exact", "name": MODEL_HEADER, "value": model}],
    }


def check_routes(problems: Problems, routes: Sequence[Route], pools: Collection[str]) -> None:
    """Note what is wrong with routes to the named pools and external backends."""
    model_paths: dict[str, str] = {}
    name_paths: dict[str, str] = {}
    for index, route in enumerate(routes):
        path = f"routes[{index}]"
        if route["models"] and route["models"][0] not in model_paths:
            _check_object_name(problems, path, route, name_paths)
        _check_models(problems, path, route["models"], model_paths)
        _check_backends(problems, path, route["backends"], pools)


def _check_object_name(
    problems: Problems, path: str, route: Route, name_paths: dict[str, str]
) -> None:
    name = route_name(route)
    if not KUBERNETES_NAME.matches(name) or name in name_paths:
        taken = f", which {name_paths[name]} has too" if name in name_paths else ""
        problems.add(
            f"{path}.models[0]",
            f"found {route['models'][0]!r}, which makes the object name {name!r}{taken}; allowed: "
            f"{KUBERNETES_NAME.allowed}, each once; put another model of the route first",
        )
    name_paths.setdefault(name, path)


def _check_models(
    problems: Problems, path: str, models: Sequence[str], model_paths: dict[str, str]
) -> None:
    for index, model in enumerate(models):
        model_path = f"{path}.models[{index}]"
        if not model or not model.isascii() or not model.isprintable() or model != model.strip():
            problems.add(
                model_path,
                f"found {model!r}; allowed: printable ASCII without spaces around, as an HTTP "
                "header carries it; rename the model",
            )
        if model in model_paths:
            problems.add(
                model_path,
                f"found {model!r}, which {model_paths[model]} routes already; keep one of them",
            )
        model_paths.setdefault(model, model_path)


def _check_backends(
    problems: Problems, path: str, backends: Sequence[Backend], pools: Collection[str]
) -> None:
    weights: Mapping[str, int] = {backend["pool"]: backend["weight"] for backend in backends}
    for index, backend in enumerate(backends):
        if backend["pool"] not in pools:
            allowed = ", ".join(sorted(pools)) or "none, as there is no pool"
            problems.add(
                f"{path}.backends[{index}].pool",
                f"found {backend['pool']!r}; allowed: {allowed}; name a pool of this gateway",
            )
    if len(weights) < len(backends):
        problems.add(
            f"{path}.backends",
            "found a pool twice; allowed: each once; add up its weights",
        )
    total = sum(backend["weight"] for backend in backends)
    if backends and total != WHOLE:
        problems.add(
            f"{path}.backends",
            f"found weights that add up to {total}; allowed: {WHOLE}; give percentages",
        )

"""Envoy in the place of a Gateway's load balancer: its configuration, from the stack's objects.

The order is the load balancer's: routing extension, route, traffic extension, picker, replica. What
Envoy can't be of it is in `DIFFERENCES`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from catalog.conventions import MODEL_HEADER
from emulator.gateway.certificates import HERE, Certificate
from emulator.gateway.client import Manifest
from emulator.gateway.cluster import Cluster
from emulator.gateway.processors import Served
from emulator.gateway.proxies import CONNECT_TIMEOUT, TYPES, begins_tls, static_cluster
from emulator.gateway.workloads import Workload

DIFFERENCES: Final = (
    "an authority that is made at each start signs the certificate, for this machine's names too",
    "a pool whose picker is away fails, where the load balancer would serve it in turn",
    "an answer is screened once it is whole, a streamed one too",
)
_EXT_PROC: Final = f"{TYPES}.filters.http.ext_proc.v3"
_OFF: Final = {"@type": f"{_EXT_PROC}.ExtProcPerRoute", "disabled": True}
_ROUTER: Final = "routing-extension"
_PICKER: Final = "endpoint-picker"
_DESTINATION: Final = "x-gateway-destination-endpoint"
_DEFAULT_TIMEOUT_SECONDS: Final = 30
_POOL: Final = "InferencePool"
LOG_FORMAT: Final = {
    "status": "%RESPONSE_CODE%",
    "model": f"%REQ({MODEL_HEADER})%",
    "route": "%ROUTE_NAME%",
    "pool": "%UPSTREAM_CLUSTER%",
    "replica": "%UPSTREAM_HOST%",
    "milliseconds": "%DURATION%",
    "why": "%RESPONSE_CODE_DETAILS%",
    "id": "%REQ(X-REQUEST-ID)%",
}
"""What a line of the access log says of a request."""


def filters(
    cluster: Cluster, extensions: Sequence[tuple[Manifest, Served]]
) -> list[dict[str, Any]]:
    """Return what sees each request to the Gateway of a cluster, in the load balancer's order."""
    router = _routing_extension(cluster)
    return [
        {
            "name": _ROUTER,
            "typed_config": {
                **_ext_proc(_ROUTER, router["timeout"], response=False),
                "failure_mode_allow": router["failOpen"],
            },
        },
        *(_traffic_extension(*each) for each in extensions),
        # Of which pool, each route says.
        {
            "name": _PICKER,
            "typed_config": _ext_proc(_ROUTER, f"{_DEFAULT_TIMEOUT_SECONDS}s", response=True),
        },
    ]


def clusters(
    cluster: Cluster,
    workloads: Mapping[str, Workload],
    extensions: Sequence[tuple[Manifest, Served]],
) -> list[dict[str, Any]]:
    """Return what Envoy reaches: the running router, what stands in for the traffic extension,
    pickers, replicas and proxies of models outside."""
    router = _routing_extension(cluster)
    pools = {each["metadata"]["name"]: each for each in cluster.of(_POOL)}
    pickers = {name: pool["spec"]["endpointPickerRef"] for name, pool in pools.items()}
    return [
        _grpc_cluster(_ROUTER, _local_port(cluster, workloads, router["backendRef"])),
        *(
            _grpc_cluster(
                _picker(pool),
                _local_port(
                    cluster, workloads, {"name": each["name"], "port": each["port"]["number"]}
                ),
            )
            for pool, each in pickers.items()
        ),
        *(
            _grpc_cluster(extension["name"], served.port, tls=False)
            for extension, served in extensions
        ),
        *map(_replicas, pools),
        *(
            static_cluster(each["name"], _local_port(cluster, workloads, each))
            for each in _services(cluster)
        ),
    ]


def _services(cluster: Cluster) -> list[dict[str, Any]]:
    """Return the backends of routes that are no pool, each once: the proxies of outside models."""
    found = {
        backend["name"]: backend
        for route in cluster.of("HTTPRoute")
        for rule in route["spec"]["rules"]
        for backend in rule["backendRefs"]
        if backend["kind"] != _POOL
    }
    return list(found.values())


def _routing_extension(cluster: Cluster) -> dict[str, Any]:
    (found,) = cluster.of("Gateway")
    gateway = found["metadata"]["name"]
    for each in cluster.of("GCPRoutingExtension"):
        if gateway in {target["name"] for target in each["spec"]["targetRefs"]}:
            return each["spec"]["extensionChains"][0]["extensions"][0]
    raise LookupError(f"the Gateway {gateway} has no routing extension")


def _local_port(
    cluster: Cluster, workloads: Mapping[str, Workload], reference: Mapping[str, Any]
) -> int:
    """Return the port here of a Service's."""
    service = cluster.one("Service", reference["name"])
    selector = service["spec"]["selector"].items()
    (port,) = (each for each in service["spec"]["ports"] if each["port"] == reference["port"])
    for deployment in cluster.of("Deployment"):
        if selector <= deployment["spec"]["template"]["metadata"]["labels"].items():
            workload = workloads[deployment["metadata"]["name"]]
            return workload.port(port.get("targetPort", port["port"]))
    raise LookupError(f"no Deployment is behind the Service {reference['name']}")


def hosts(
    cluster: Cluster, extensions: Sequence[tuple[Manifest, Served]], certificate: Certificate
) -> Iterator[dict[str, Any]]:
    """Yield the routes of each host name, and no route of any other. The names of this machine are
    as good as the first."""
    for name in certificate.names:
        here = HERE if name == certificate.names[0] else ()
        routes = [*_routes(cluster, name), _no_route(extensions)]
        yield {"name": name, "domains": [name, *here], "routes": routes}
    yield {"name": "none", "domains": ["*"], "routes": [_no_route(extensions)]}


def _routes(cluster: Cluster, host: str) -> Iterator[dict[str, Any]]:
    timeouts = {
        policy["spec"]["targetRef"]["name"]: policy["spec"]["default"]["timeoutSec"]
        for policy in cluster.of("GCPBackendPolicy")
    }
    for route in cluster.of("HTTPRoute"):
        if host not in route["spec"].get("hostnames", (host,)):
            continue
        for rule in route["spec"]["rules"]:
            backends = rule["backendRefs"]
            seconds = max(
                timeouts.get(backend["name"], _DEFAULT_TIMEOUT_SECONDS) for backend in backends
            )
            action = _to_backends(backends, seconds)
            for match in rule["matches"]:
                yield {"name": route["metadata"]["name"], "match": _match(match), **action}


def _match(match: Mapping[str, Any]) -> dict[str, Any]:
    kinds = {"PathPrefix": "path_separated_prefix", "Exact": "path"}
    path = match.get("path", {"type": "PathPrefix", "value": "/"})
    key = "prefix" if path["value"] == "/" else kinds[path["type"]]
    return {
        key: path["value"],
        "headers": [
            {"name": header["name"], "string_match": {"exact": header["value"]}}
            for header in match.get("headers", ())
        ],
    }


def _to_backends(backends: list[dict[str, Any]], seconds: int) -> dict[str, Any]:
    return {
        "route": {
            "timeout": f"{seconds}s",
            "idle_timeout": f"{seconds}s",
            "weighted_clusters": {
                "clusters": [
                    {
                        "name": backend["name"],
                        "weight": backend.get("weight", 1),
                        "typed_per_filter_config": {_PICKER: _its_picker(backend)},
                    }
                    for backend in backends
                ]
            },
        }
    }


def _no_route(extensions: Sequence[tuple[Manifest, Served]]) -> dict[str, Any]:
    """Return an answer of the load balancer's own, which neither extension nor picker sees."""
    return {
        "name": "none",
        "match": {"prefix": "/"},
        "direct_response": {"status": 404, "body": {"inline_string": "no route"}},
        "typed_per_filter_config": dict.fromkeys(
            (_PICKER, *(extension["name"] for extension, _ in extensions)), _OFF
        ),
    }


def _traffic_extension(extension: Manifest, served: Served) -> dict[str, Any]:
    name, response = extension["name"], served.processor.sees_answers
    return {
        "name": name,
        "typed_config": {
            **_ext_proc(name, extension["timeout"], response=response),
            "failure_mode_allow": extension["failOpen"],
        },
    }


def _ext_proc(cluster: str, timeout: str, *, response: bool) -> dict[str, Any]:
    return {
        "@type": f"{_EXT_PROC}.ExternalProcessor",
        "grpc_service": {"envoy_grpc": {"cluster_name": cluster}},
        "message_timeout": timeout,
        "processing_mode": {
            "request_header_mode": "SEND",
            "request_body_mode": "FULL_DUPLEX_STREAMED",
            "request_trailer_mode": "SEND",
            "response_header_mode": "SEND" if response else "SKIP",
            "response_body_mode": "FULL_DUPLEX_STREAMED" if response else "NONE",
            "response_trailer_mode": "SEND" if response else "SKIP",
        },
    }


def _its_picker(backend: Mapping[str, Any]) -> dict[str, Any]:
    """Return the picker of a pool; what is no pool has none."""
    if backend["kind"] != _POOL:
        return _OFF
    pool = backend["name"]
    return {
        "@type": f"{_EXT_PROC}.ExtProcPerRoute",
        "overrides": {"grpc_service": {"envoy_grpc": {"cluster_name": _picker(pool)}}},
    }


def _picker(pool: str) -> str:
    return f"{_PICKER}-{pool}"


def _grpc_cluster(name: str, port: int, *, tls: bool = True) -> dict[str, Any]:
    """Return the cluster of what speaks ext_proc: pickers and routers make their certificates."""
    return {
        **static_cluster(name, port),
        **(begins_tls() if tls else {}),
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": f"{TYPES}.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http2_protocol_options": {}},
            }
        },
    }


def _replicas(pool: str) -> dict[str, Any]:
    """Return the cluster of a pool: where the picker says, and nowhere else."""
    return {
        "name": pool,
        "type": "ORIGINAL_DST",
        "lb_policy": "CLUSTER_PROVIDED",
        "connect_timeout": CONNECT_TIMEOUT,
        "original_dst_lb_config": {"use_http_header": True, "http_header_name": _DESTINATION},
    }

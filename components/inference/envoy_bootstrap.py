"""The configuration of Envoy as a forwarder of OpenAI API requests to one server.

https://www.envoyproxy.io/docs/envoy/v1.39.1/configuration/overview/bootstrap and, for the token,
https://cloud.google.com/compute/docs/access/authenticate-workloads
"""

from typing import Any

import yaml

from catalog import ports

PORT = 8080
HEALTH_PATH = "/healthz"
API_PREFIX = "/v1/"
ADMIN_PORT = 9901
CONNECT_TIMEOUT = "5s"
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
_HTTP = "type.googleapis.com/envoy.extensions.filters.http"
_MANAGER = (
    "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3"
    ".HttpConnectionManager"
)
_TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"

AS_NOBODY = """\
function envoy_on_request(handle)
  handle:headers():remove("authorization")
end
"""
"""Clients' credentials are for the gateway: they stay inside."""

# The metadata server refuses a request with X-Forwarded-For, which Envoy sends unless told not to.
AS_WORKLOAD = """\
local token = nil
local renew_at = 0

local function fetch(handle)
  local headers, body = handle:httpCall("metadata", {
    [":method"] = "GET",
    [":path"] = "/computeMetadata/v1/instance/service-accounts/default/token",
    [":authority"] = "metadata.google.internal",
    ["metadata-flavor"] = "Google",
  }, "", {timeout_ms = 5000, send_xff = false})
  if headers[":status"] ~= "200" or body == nil then
    return false
  end
  local fresh = string.match(body, '"access_token"%s*:%s*"([^"]+)"')
  local seconds = string.match(body, '"expires_in"%s*:%s*(%d+)')
  if fresh == nil or seconds == nil then
    return false
  end
  token = fresh
  renew_at = os.time() + tonumber(seconds) - 60
  return true
end

function envoy_on_request(handle)
  handle:headers():remove("authorization")
  if os.time() >= renew_at and not fetch(handle) then
    handle:respond({[":status"] = "503"}, "no access token\\n")
    return
  end
  handle:headers():add("authorization", "Bearer " .. token)
end
"""
"""Puts the workload's own access token in the place of the client's credentials."""


def bootstrap(
    *, host: str, port: int, path: str, as_workload: bool, request_timeout_seconds: int
) -> str:
    """Return the YAML document; `path` stands at the server for /v1 here."""
    forward = {
        "match": {"prefix": API_PREFIX},
        "route": {
            "cluster": "backend",
            "prefix_rewrite": f"{path}/",
            "host_rewrite_literal": host,
            "timeout": f"{request_timeout_seconds}s",
            # Without it, five minutes of silence end a request: a long answer that isn't streamed.
            "idle_timeout": f"{request_timeout_seconds}s",
        },
    }
    metrics = {
        "match": {"path": "/metrics"},
        "route": {"cluster": "admin", "prefix_rewrite": "/stats/prometheus"},
    }
    script = AS_WORKLOAD if as_workload else AS_NOBODY
    clusters = [_backend(host, port), _cluster("admin", "127.0.0.1", ADMIN_PORT)]
    if as_workload:
        clusters.append(_cluster("metadata", "metadata.google.internal", 80))
    document = {
        # Whoever reaches the administration may stop the proxy: it is for the pod itself.
        "admin": {"address": _address("127.0.0.1", ADMIN_PORT)},
        "static_resources": {
            "listeners": [
                _listener("requests", PORT, forward, [_health_check(), _lua(script)]),
                _listener("metrics", ports.METRICS, metrics, []),
            ],
            "clusters": clusters,
        },
    }
    return yaml.safe_dump(document, sort_keys=False)


def _address(host: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": host, "port_value": port}}


def _filter(name: str, version: str, **config: Any) -> dict[str, Any]:
    return {
        "name": f"envoy.filters.http.{name}",
        "typed_config": {"@type": f"{_HTTP}.{name}.v3.{version}", **config},
    }


def _health_check() -> dict[str, Any]:
    headers = [{"name": ":path", "string_match": {"exact": HEALTH_PATH}}]
    return _filter("health_check", "HealthCheck", pass_through_mode=False, headers=headers)


def _lua(script: str) -> dict[str, Any]:
    return _filter("lua", "Lua", default_source_code={"inline_string": script})


def _listener(
    name: str, port: int, route: dict[str, Any], filters: list[dict[str, Any]]
) -> dict[str, Any]:
    manager = {
        "@type": _MANAGER,
        "stat_prefix": name,
        # A path is judged as the server will read it: /v1/../x is none of ours.
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        "route_config": {
            "virtual_hosts": [{"name": name, "domains": ["*"], "routes": [route]}],
        },
        "http_filters": [*filters, _filter("router", "Router")],
    }
    chain = {
        "filters": [
            {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
        ]
    }
    # "0.0.0.0" is every address of the pod, which has one.
    return {"name": name, "address": _address("0.0.0.0", port), "filter_chains": [chain]}  # noqa: S104


def _cluster(name: str, host: str, port: int) -> dict[str, Any]:
    return {
        "name": name,
        "type": "STRICT_DNS",
        "dns_lookup_family": "V4_ONLY",
        "connect_timeout": CONNECT_TIMEOUT,
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(host, port)}}]}],
        },
    }


def _backend(host: str, port: int) -> dict[str, Any]:
    certificate = {
        "trusted_ca": {"filename": CERTIFICATES},
        "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": host}}],
    }
    context = {
        "@type": _TLS,
        "sni": host,
        "common_tls_context": {"validation_context": certificate},
    }
    socket = {"name": "envoy.transport_sockets.tls", "typed_config": context}
    return {**_cluster("backend", host, port), "transport_socket": socket}

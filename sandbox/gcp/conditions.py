"""Refuses what is refused by several properties together, or by what they were before.

Each names the file of its `CustomizeDiff`, in hashicorp/terraform-provider-google,
google/services/, or the page of the API that says so.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from catalog.schema_revisions import incompatibilities
from sandbox.check import Failure
from sandbox.values import Unknown, Values, as_map, is_list

_SOURCES: Final = ("sourceRanges", "sourceTags", "sourceServiceAccounts")
_CREDENTIALS: Final = ("authToken", "serviceKey", "password")
_MANAGED_ONLY: Final = (
    *("capacityScaler", "maxConnections", "maxConnectionsPerInstance", "maxConnectionsPerEndpoint"),
    *("maxRate", "maxRatePerInstance", "maxRatePerEndpoint", "maxUtilization"),
)
Found = Iterator[tuple[str, str]]


def conditions(token: str, inputs: Values, before: Values) -> list[Failure]:
    """Return every failure of inputs that don't go together; unknown ones fail nothing.

    `before` are the inputs that an update starts from, none of a new resource.
    """
    check = CONDITIONS.get(token)
    found = check(inputs, before) if check is not None else ()
    return [Failure(path, f"{reason}, for '{path}' of {token}") for path, reason in found]


def _firewall(inputs: Values, before: Values) -> Found:
    """compute/resource_compute_firewall.go: what comes in has a source, what is logged a log."""
    del before
    direction = inputs.get("direction", "INGRESS")
    if direction == "INGRESS" and all(inputs.get(name) is None for name in _SOURCES):
        yield "sourceRanges", f"nothing given, allowed: one of {', '.join(_SOURCES)}"
    if inputs.get("enableLogging") is False and inputs.get("logConfig") is not None:
        yield "logConfig", "given although enableLogging is false, allowed: one of them"


def _ssl_policy(inputs: Values, before: Values) -> Found:
    """compute/resource_compute_ssl_policy.go: features of one's own belong to CUSTOM alone."""
    del before
    profile, features = inputs.get("profile", "COMPATIBLE"), inputs.get("customFeatures")
    if isinstance(profile, Unknown) or isinstance(features, Unknown):
        return
    if profile == "CUSTOM" and not features:
        yield "customFeatures", "nothing given, allowed with the profile CUSTOM: one or more"
    if profile != "CUSTOM" and features:
        yield "customFeatures", f"given with the profile {profile}, allowed: CUSTOM"


def _channel(inputs: Values, before: Values) -> Found:
    """monitoring/resource_monitoring_notification_channel.go: a credential is given once."""
    del before
    labels, sensitive = as_map(inputs.get("labels")), as_map(inputs.get("sensitiveLabels"))
    for name in _CREDENTIALS:
        label = "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
        if labels.get(label) and sensitive.get(name):
            yield f"sensitiveLabels.{name}", f"conflicts with 'labels.{label}': give one of them"


def _health_check(inputs: Values, before: Values) -> Found:
    """compute/resource_compute_health_check.go: a port is a number, a name, or the one served."""
    del before
    check = as_map(inputs.get("httpHealthCheck"))
    kind, port, name = (check.get(each) for each in ("portSpecification", "port", "portName"))
    if kind in {"USE_NAMED_PORT", "USE_SERVING_PORT"} and port:
        yield "httpHealthCheck.port", f"given with the port specification {kind}, allowed: none"
    if kind == "USE_NAMED_PORT" and not name:
        yield "httpHealthCheck.portName", f"nothing given, needed by {kind}"
    if kind == "USE_SERVING_PORT" and name:
        yield "httpHealthCheck.portName", f"given with the port specification {kind}, allowed: none"


def _region_backends(inputs: Values, before: Values) -> Found:
    """compute/resource_compute_region_backend_service.go: capacity is shared out, or isn't."""
    del before
    scheme, backends = inputs.get("loadBalancingScheme", "INTERNAL"), _maps(inputs.get("backends"))
    if scheme in {"INTERNAL", "EXTERNAL"}:
        for index, backend in enumerate(backends):
            for name in _MANAGED_ONLY:
                if backend.get(name) and not isinstance(backend[name], Unknown):
                    yield (
                        f"backends[{index}].{name}",
                        f"given with the scheme {scheme}, allowed: none",
                    )
    elif scheme != "INTERNAL_MANAGED" and isinstance(scheme, str) and backends:
        yield from _shared_out(scheme, backends)


def _shared_out(scheme: str, backends: list[Values]) -> Found:
    if not any(backend.get("capacityScaler") for backend in backends):
        yield "backends", f"no capacityScaler above 0, needed by the scheme {scheme}"


def _router(inputs: Values, before: Values) -> Found:
    """compute/resource_compute_router.go: what is advertised is given with the mode CUSTOM."""
    del before
    bgp = as_map(inputs.get("bgp"))
    if bgp.get("advertiseMode", "DEFAULT") == "DEFAULT":
        for name in ("advertisedGroups", "advertisedIpRanges"):
            if bgp.get(name):
                yield f"bgp.{name}", "given with the mode DEFAULT, allowed: CUSTOM"


def _nat(inputs: Values, before: Values) -> Found:
    """compute/resource_compute_router_nat.go: an address is drained as it leaves the others."""
    names = (_last_parts(each) for each in (inputs.get("drainNatIps"), before.get("drainNatIps")))
    drained = next(names) - next(names)
    had, has = (_last_parts(each.get("natIps")) for each in (before, inputs))
    for name in sorted(drained):
        if name not in had:
            yield "drainNatIps", f"found {name}, allowed: what was in natIps before"
        elif name in has:
            yield "drainNatIps", f"found {name}, allowed: what isn't in natIps any more"


def _security_policy(inputs: Values, before: Values) -> Found:
    """compute/resource_compute_security_policy.go: rules have priorities of their own."""
    del before
    priorities = [rule.get("priority") for rule in _maps(inputs.get("rules"))]
    for priority, count in Counter(map(str, priorities)).items():
        if count > 1 and not any(isinstance(each, Unknown) for each in priorities):
            yield "rules", f"found the priority {priority} {count} times, allowed: once"


def _cluster(inputs: Values, before: Values) -> Found:
    """container/resource_container_cluster.go: what node pools of its own a cluster has."""
    nodes, control_plane = inputs.get("nodeVersion"), inputs.get("minMasterVersion")
    if not before and nodes and inputs.get("removeDefaultNodePool") is True:
        yield "nodeVersion", "given with removeDefaultNodePool, allowed: none"
    releases = {str(each).partition("-")[0] for each in (nodes, control_plane)}
    known = isinstance(nodes, str) and isinstance(control_plane, str)
    if not before and known and len(releases) > 1:
        yield "nodeVersion", f"found '{nodes}', allowed: minMasterVersion, '{control_plane}'"
    if inputs.get("skipNodePoolRefresh") is True and _maps(inputs.get("nodePools")):
        yield "skipNodePoolRefresh", "given with nodePools, allowed: one of them"
    inner: Any = inputs
    for name in ("clusterAutoscaling", "autoProvisioningDefaults", "upgradeSettings"):
        inner = as_map(inner.get(name))
    strategy = inner.get("strategy")
    if isinstance(strategy, str) and strategy != "SURGE":
        for name in ("maxSurge", "maxUnavailable"):
            if inner.get(name):
                path = f"clusterAutoscaling.autoProvisioningDefaults.upgradeSettings.{name}"
                yield path, f"given with the strategy {strategy}, allowed: SURGE"


def _authority(inputs: Values, before: Values) -> Found:
    """privateca/resource_privateca_certificate_authority.go: staged or enabled at first."""
    state, was = inputs.get("desiredState"), before.get("desiredState")
    if isinstance(state, str) and not before and state not in {"STAGED", "ENABLED"}:
        yield "desiredState", f"found '{state}', allowed in a new authority: STAGED, ENABLED"
    if before and state == "STAGED" and was != state:
        yield "desiredState", "found 'STAGED', allowed in a new authority alone"


def _object(inputs: Values, before: Values) -> Found:
    """storage/resource_storage_bucket_object.go: a key of the contexts stands once."""
    del before
    customs = _maps(as_map(inputs.get("contexts")).get("customs"))
    for key, count in Counter(str(each.get("key")) for each in customs).items():
        if count > 1:
            yield "contexts", f"found the key {key} {count} times, allowed: once"


def _schema(inputs: Values, before: Values) -> Found:
    """https://cloud.google.com/pubsub/docs/commit-schema-revision: a revision reads the last."""
    old, new = before.get("definition"), inputs.get("definition")
    same = all(inputs.get(each) == before.get(each) for each in ("name", "type", "project"))
    if not same or not isinstance(old, str) or not isinstance(new, str) or old == new:
        return
    try:
        found = incompatibilities(str(inputs.get("type")), old, new)
    except (KeyError, TypeError, ValueError) as problem:
        found = [f"it can't be read ({problem})"]
    if found:
        yield "definition", f"an incompatible revision: {'; '.join(found)}"


def _perimeter(inputs: Values, before: Values) -> Found:
    """https://github.com/hashicorp/terraform-provider-google/issues/25594: by whom."""
    del before
    for part in ("status", "spec"):
        for way in ("ingress", "egress"):
            for index, policy in enumerate(_maps(as_map(inputs.get(part)).get(f"{way}Policies"))):
                caller = as_map(policy.get(f"{way}From"))
                if caller and not caller.get("identities") and not caller.get("identityType"):
                    path = f"{part}.{way}Policies[{index}].{way}From.identities"
                    yield path, "nothing given, allowed: one of identities, identityType"


def _maps(value: Any) -> list[Values]:
    return [as_map(each) for each in value] if is_list(value) else []


def _last_parts(value: Any) -> set[str]:
    """Return the names in a list of names and links."""
    names = value if is_list(value) else []
    return {each.rpartition("/")[2] for each in names if isinstance(each, str)}


def _project_sink(inputs: Values, before: Values) -> Found:
    """logging/resource_logging_project_sink.go: options of BigQuery need an identity of its own."""
    del before
    if inputs.get("bigqueryOptions") is not None and inputs.get("uniqueWriterIdentity") is False:
        yield "uniqueWriterIdentity", "false, allowed with bigqueryOptions: true"


CONDITIONS: Final[Mapping[str, Callable[[Values, Values], Found]]] = {
    "gcp:accesscontextmanager/servicePerimeter:ServicePerimeter": _perimeter,
    "gcp:certificateauthority/authority:Authority": _authority,
    "gcp:compute/firewall:Firewall": _firewall,
    "gcp:compute/healthCheck:HealthCheck": _health_check,
    "gcp:compute/regionBackendService:RegionBackendService": _region_backends,
    "gcp:compute/regionHealthCheck:RegionHealthCheck": _health_check,
    "gcp:compute/regionSslPolicy:RegionSslPolicy": _ssl_policy,
    "gcp:compute/router:Router": _router,
    "gcp:compute/routerNat:RouterNat": _nat,
    "gcp:compute/sSLPolicy:SSLPolicy": _ssl_policy,
    "gcp:compute/securityPolicy:SecurityPolicy": _security_policy,
    "gcp:container/cluster:Cluster": _cluster,
    "gcp:logging/projectSink:ProjectSink": _project_sink,
    "gcp:monitoring/notificationChannel:NotificationChannel": _channel,
    "gcp:pubsub/schema:Schema": _schema,
    "gcp:storage/bucketObject:BucketObject": _object,
}

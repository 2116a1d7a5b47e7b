"""Read Gateways and HTTPRoutes: https://gateway-api.sigs.k8s.io/reference/spec"""

from catalog.conventions import NAMESPACE_NAME_LABEL
from request_path import objects as o
from request_path.fields import Text, items, number, text, texts
from request_path.reading.common import home_of, in_cluster, reference
from resources.properties import MISSING, UNKNOWN, get
from resources.resource import Resource


def gateway(resource: Resource) -> o.Gateway:
    """Read a Gateway."""
    spec = get(resource.props, "spec")
    return o.Gateway(
        **in_cluster(resource),
        listeners=tuple(
            o.Listener(
                text(each, "name"),
                text(each, "protocol"),
                number(each, "port"),
                text(each, "hostname"),
                text(each, "allowedRoutes", "namespaces", "from") or "Same",
                _names(get(each, "allowedRoutes", "namespaces", "selector")),
            )
            for each in items(spec, "listeners")
        ),
        address_names=tuple(
            text(each, "value")
            for each in items(spec, "addresses")
            if text(each, "type") in {"NamedAddress", UNKNOWN}
        ),
        gateway_class=text(spec, "gatewayClassName"),
    )


def _names(selector: object) -> tuple[Text, ...] | None:
    """Return the namespaces that a selector names; None where it goes by other labels too."""
    rows = items(selector, "matchExpressions")
    if len(rows) != 1 or get(selector, "matchLabels") not in {MISSING, None}:
        return None
    (row,) = rows
    by_name = text(row, "key") == NAMESPACE_NAME_LABEL and text(row, "operator") == "In"
    return texts(items(row, "values")) if by_name else None


def _match(value: object) -> o.Match:
    headers: dict[object, o.HeaderMatch] = {}
    for each in items(value, "headers"):
        name, content = text(each, "name"), text(each, "value")
        lower = name.lower() if isinstance(name, str) else UNKNOWN
        # Of several entries for one name, in any case, only the first counts.
        headers.setdefault(
            lower,
            o.HeaderMatch(lower, content or "", text(each, "type") == "RegularExpression"),
        )
    path = get(value, "path")
    return o.Match(
        path=text(path, "value") or "/",
        path_type=text(path, "type") or "PathPrefix",
        headers=tuple(headers.values()),
        method=text(value, "method"),
        queries=len(items(value, "queryParams")),
    )


def _backend(value: object, home: object) -> o.Backend:
    weight = number(value, "weight")
    return o.Backend(
        reference(value, home, "Service"), 1 if weight is None else weight, number(value, "port")
    )


def route(resource: Resource) -> o.Route:
    """Read an HTTPRoute."""
    spec, home = get(resource.props, "spec"), home_of(resource)
    return o.Route(
        **in_cluster(resource),
        parents=tuple(reference(each, home, "Gateway") for each in items(spec, "parentRefs")),
        hostnames=texts(items(spec, "hostnames")),
        rules=tuple(
            o.RouteRule(
                # A rule without a match takes every path.
                tuple(_match(match) for match in items(rule, "matches")) or (o.Match(),),
                tuple(_backend(each, home) for each in items(rule, "backendRefs")),
                text(rule, "timeouts", "request"),
            )
            for rule in items(spec, "rules")
        ),
    )

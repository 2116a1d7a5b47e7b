"""Read where an Envoy forwards to: https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/bootstrap"""

from collections.abc import Iterable

import yaml

from request_path import objects as o
from request_path.fields import is_set, items, number, text
from request_path.reading.common import in_cluster
from resources.properties import get
from resources.resource import Resource


def config(resource: Resource) -> o.ProxyConfig | None:
    """Read the configuration of an Envoy; None for other ConfigMaps, and for one not known yet."""
    document = get(resource.props, "data", "envoy.yaml")
    if not isinstance(document, str):
        return None
    try:
        found: object = yaml.load(document, yaml.CSafeLoader)
    except yaml.YAMLError:
        return None
    return o.ProxyConfig(**in_cluster(resource), servers=tuple(_servers(found)))


def _servers(document: object) -> Iterable[str]:
    resources = get(document, "static_resources")
    paths = dict(_paths(resources))
    for cluster in items(resources, "clusters"):
        if not is_set(cluster, "transport_socket"):
            continue
        for group in items(cluster, "load_assignment", "endpoints"):
            for each in items(group, "lb_endpoints"):
                at = ("endpoint", "address", "socket_address")
                host, port = text(each, *at, "address"), number(each, *at, "port_value")
                yield f"{host}:{port}{paths.get(text(cluster, 'name'), '')}"


def _paths(resources: object) -> Iterable[tuple[object, str]]:
    """Yield by cluster what its routes put in the place of the prefix."""
    for listener in items(resources, "listeners"):
        for chain in items(listener, "filter_chains"):
            for each in items(chain, "filters"):
                for host in items(each, "typed_config", "route_config", "virtual_hosts"):
                    for route in items(host, "routes"):
                        path = text(route, "route", "prefix_rewrite")
                        if isinstance(path, str):
                            yield text(route, "route", "cluster"), path.rstrip("/")

"""What a request meets, and first its way from the consumer to the listener."""

from collections.abc import Iterator
from dataclasses import dataclass

from request_path.fields import is_set, number, text
from request_path.frontends import Frontend, regions_behind
from request_path.matching import Request, host_matches
from request_path.objects import (
    Gateway,
    InCluster,
    Objects,
    Part,
    Policy,
    Record,
    Regional,
)
from request_path.publication import (
    Way,
    address_of,
    attachments_of,
    names_host,
    records_of,
    ways_to,
)


@dataclass(frozen=True)
class Hop:
    """Something a request meets."""

    step: str
    """What it is, such as `listener`."""
    name: str
    detail: str = ""


def ingress_hops(objects: Objects, gateway: Gateway, request: Request) -> Iterator[Hop]:
    """Yield the hops from the consumer to the listener, by every endpoint."""
    attachments = attachments_of(gateway, objects)
    for attachment in attachments:
        for way in ways_to(attachment, objects):
            yield from _way(objects, way, request)
    for attachment in attachments:
        yield Hop(
            "service attachment",
            str(attachment.name),
            f"accepts {', '.join(attachment.accepts) or 'everyone'}",
        )
    if not attachments:
        yield Hop("service attachment", "none", "reachable in the platform's own network only")
    for listener in gateway.listeners:
        host = listener.hostname if isinstance(listener.hostname, str) else "*"
        if host_matches(host, request.host):
            yield Hop(
                "listener",
                f"{listener.name} of Gateway {named(gateway)}",
                f"{listener.protocol} {listener.port}, {host}, {gateway.gateway_class}",
            )
    for policy in policies_on(objects, gateway, "GCPGatewayPolicy"):
        yield Hop("TLS policy", str(text(policy.settings, "sslPolicy")))


def _way(objects: Objects, way: Way, request: Request) -> Iterator[Hop]:
    """Yield a consumer's way in, from the DNS names of the host; nothing where it has none."""
    records = [each for each in records_of(way, objects) if names_host(each, request.host)]
    for record in records:
        yield Hop("DNS name", str(record.name).rstrip("."), _answer(record))
    if not records:
        return
    if not isinstance(way, Frontend):
        yield Hop("consumer endpoint", str(way.name), _addresses(objects, way))
        return
    for rule in way.rules:
        yield Hop("cross-region frontend", str(rule.name), _addresses(objects, rule))
    yield Hop("backend service", str(way.service.name), _failover(objects, way))


def _answer(record: Record) -> str:
    if not record.places:
        return f"zone {record.zone}"
    which = "the nearest that is healthy" if record.checked else "the nearest"
    return f"zone {record.zone}, {which} of {', '.join(map(str, record.places))}"


def _addresses(objects: Objects, rule: Regional | Part) -> str:
    network = str(rule.network).rpartition("/")[2]
    return f"{address_of(rule, objects)} in network {network}"


def _failover(objects: Objects, frontend: Frontend) -> str:
    service = frontend.service
    regions = ", ".join(regions_behind(frontend, objects.attachments))
    detail = f"the nearest that works of {regions}, answers within {service.timeout} s"
    if not is_set(service.outliers):
        return f"{detail}, none is left out when its answers fail"
    errors = number(service.outliers, "consecutiveErrors")
    seconds = number(service.outliers, "baseEjectionTime", "seconds")
    return f"{detail}, one is left out for {seconds} s after {errors} failed answers in a row"


def policies_on(objects: Objects, candidate: InCluster, kind: str) -> Iterator[Policy]:
    """Yield the policies of a kind on a Gateway, a pool or a Service."""
    for policy in objects.policies:
        if policy.kind == kind and objects.refers(policy, policy.target, candidate):
            yield policy


def named(candidate: InCluster) -> str:
    """Return an object's namespace and name."""
    return f"{candidate.namespace}/{candidate.name}"

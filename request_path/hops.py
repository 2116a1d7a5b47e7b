"""What a request meets, and first its way from the consumer to the listener."""

from collections.abc import Iterator
from dataclasses import dataclass

from request_path.matching import Request, host_matches
from request_path.objects import Gateway, InCluster, Objects, Policy, Regional, Thing
from request_path.publication import (
    addresses_of,
    attachments_of,
    endpoints_of,
    names_host,
    records_of,
)
from request_path.values import text


@dataclass(frozen=True)
class Hop:
    """Something a request meets."""

    step: str
    """What it is, such as `listener`."""
    name: str
    detail: str = ""


def way_in(objects: Objects, gateway: Gateway, request: Request) -> Iterator[Hop]:
    """Give the hops from the consumer to the listener, by every endpoint."""
    attachments = attachments_of(gateway, objects)
    for attachment in attachments:
        for endpoint in endpoints_of(attachment, objects):
            for record in records_of(endpoint, objects):
                if names_host(record, request.host):
                    yield Hop("DNS name", str(record.name).rstrip("."), f"zone {record.zone}")
            yield Hop("consumer endpoint", str(endpoint.name), _endpoint(objects, endpoint))
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
    for policy in policies_on(objects, gateway, "Gateway", "GCPGatewayPolicy"):
        yield Hop("TLS policy", str(text(policy.settings, "sslPolicy")))


def _endpoint(objects: Objects, endpoint: Regional) -> str:
    reserved = [each.address for each in addresses_of(endpoint, objects)] or [endpoint.address]
    network = str(endpoint.network).rpartition("/")[2]
    return f"{', '.join(map(str, reserved))} in network {network}"


def policies_on(
    objects: Objects, thing: InCluster, kind: str, policy_kind: str
) -> Iterator[Policy]:
    """Give the policies of a kind on a Gateway or a pool."""
    same: tuple[Thing, ...] = objects.pools if kind == "InferencePool" else objects.gateways
    for policy in objects.policies:
        if (
            policy.kind == policy_kind
            and policy.cluster == thing.cluster
            and policy.target.means(policy, thing, kind, same)
        ):
            yield policy


def named(thing: InCluster) -> str:
    """Give an object's namespace and name."""
    return f"{thing.namespace}/{thing.name}"

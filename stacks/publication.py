"""The way in: consumer networks, and the gateways published to them by Private Service Connect."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from catalog.conventions import PLATFORM
from components.inference.managed_certificate import EVERYWHERE
from components.names import label_of
from components.network.consumer_vpc import ConsumerVpc
from components.network.psc_arguments import AcceptedConsumer, PscEndpointArgs
from components.network.psc_arguments import Consumer as EndpointsOf
from components.network.psc_endpoint import PscEndpoint
from components.network.services_access import ServicesAccess
from config.consumers import Consumer
from config.platform import Platform
from stacks.certificates import GatewayCertificate, build_certificate
from stacks.foundation import Foundation
from stacks.inference import Region


@dataclass(frozen=True)
class Publication:
    """The gateways as consumers see them."""

    endpoint: PscEndpoint
    certificate: GatewayCertificate | None
    """Of the consumers' load balancers; None where no consumer has failover."""


def build_publication(
    platform: Platform, foundation: Foundation, regions: Mapping[str, Region]
) -> Publication | None:
    """Publish the gateways; None where the config names no consumer."""
    if not platform.consumers:
        return None
    certificate = None
    if any(consumer.failover for consumer in platform.consumers.values()):
        hostname = platform.gateway.hostname
        certificate = build_certificate(platform, foundation, EVERYWHERE, [hostname])
    places = {
        name: place
        for name, consumer in platform.consumers.items()
        if (place := _place(platform, foundation, name, consumer))
    }
    args: PscEndpointArgs = {
        "project": foundation.services.project_for("compute", "dns"),
        "service_name": PLATFORM,
        "publish": {
            name: {
                "target_service": region.forwarding_rule,
                "nat_subnetwork": foundation.vpc.psc_nat_subnetwork_ids[name],
            }
            for name, region in regions.items()
        },
        "accept": _accepted(platform, places),
        "consume": {
            name: _endpoints(platform, platform.consumers[name], place, certificate)
            for name, place in places.items()
        },
        "allow_psc_global_access": True,
    }
    shared = [len(consumer.shared_with) for consumer in platform.consumers.values()]
    if any(shared):
        args["propagated_connection_limit"] = sum(shared)
    endpoint = PscEndpoint(PLATFORM, args, foundation.google)
    for name, place in places.items():
        if users := platform.consumers[name].shared_with:
            _share(foundation, name, place, users)
    return Publication(endpoint, certificate)


@dataclass(frozen=True)
class _Place:
    """Where a consumer's endpoints are made."""

    project: str
    network: pulumi.Input[str]
    subnetworks: Mapping[str, pulumi.Input[str]]
    proxy_only: Sequence[pulumi.Input[str]] = ()


def _accepted(platform: Platform, places: Mapping[str, _Place]) -> list[AcceptedConsumer]:
    """Return one entry for each network, or for each project, whose consumers then share its
    limit."""
    if platform.gateway.accept == "network":
        return [
            {
                "network": place.network,
                "connection_limit": platform.consumers[name].connection_limit,
            }
            for name, place in places.items()
        ]
    limits: dict[str, int] = {}
    for name, consumer in platform.consumers.items():
        project = consumer.project or places[name].project
        limits[project] = limits.get(project, 0) + consumer.connection_limit
    return [{"project": project, "connection_limit": limit} for project, limit in limits.items()]


def _place(
    platform: Platform,
    foundation: Foundation,
    name: str,
    consumer: Consumer,
) -> _Place | None:
    """Return where the consumer gets endpoints; None for a project that makes its own."""
    if consumer.network is not None:
        return _Place(project_of(consumer.network), consumer.network, consumer.subnetworks)
    if not consumer.subnets:
        return None
    vpc = ConsumerVpc(
        name,
        {
            "project": foundation.services.project_for("compute"),
            "subnets": consumer.subnets,
            "proxy_only": consumer.failover.proxy_only if consumer.failover else {},
            "deletion_protection": platform.deletion_protection,
        },
        foundation.google,
    )
    return _Place(
        platform.project.id,
        vpc.network_id,
        vpc.subnetwork_ids,
        tuple(vpc.proxy_only_subnetwork_ids.values()),
    )


def _endpoints(
    platform: Platform,
    consumer: Consumer,
    place: _Place,
    certificate: GatewayCertificate | None,
) -> EndpointsOf:
    args: EndpointsOf = {
        "project": place.project,
        "network": place.network,
        "subnetworks": place.subnetworks,
        "dns_name": platform.gateway.hostname,
        "regional_names": platform.gateway.regional_names,
        "shared_with": consumer.shared_with,
    }
    if consumer.failover is not None and certificate is not None:
        args["frontend"] = {
            "certificate": certificate.id,
            "proxy_only_subnetworks": place.proxy_only,
            "request_timeout_seconds": platform.gateway.request_timeout_seconds,
            "outlier_detection": consumer.failover.outlier_detection,
        }
    return args


def _share(
    foundation: Foundation,
    name: str,
    place: _Place,
    users: Sequence[str],
) -> ServicesAccess:
    return ServicesAccess(
        name,
        {
            "project": foundation.services.project_for("networkconnectivity"),
            "shared": {"project": place.project, "network": place.network},
            "users": {
                label_of(project_of(network), network.rpartition("/")[2]): {
                    "project": project_of(network),
                    "network": network,
                }
                for network in users
            },
        },
        foundation.google,
    )


def project_of(network: str) -> str:
    """Return the project's id in a network's full name."""
    return network.split("/")[1]

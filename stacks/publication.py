"""The way in: consumer networks, and the gateways published to them by Private Service Connect."""

from collections.abc import Mapping

import pulumi

from components.network.consumer_vpc import ConsumerVpc
from components.network.psc_arguments import AcceptedConsumer
from components.network.psc_arguments import Consumer as EndpointsOf
from components.network.psc_endpoint import PscEndpoint
from config.consumers import Consumer
from config.platform import Platform
from stacks.foundation import PLATFORM, Foundation
from stacks.inference import Region


def build_publication(
    platform: Platform, foundation: Foundation, regions: Mapping[str, Region]
) -> PscEndpoint | None:
    """Publishes the gateways; None where the config names no consumer."""
    if not platform.consumers:
        return None
    google = pulumi.ResourceOptions(provider=foundation.provider)
    return PscEndpoint(
        PLATFORM,
        {
            "project": foundation.services.project_for("compute", "dns"),
            "service_name": PLATFORM,
            "publish": {
                name: {
                    "target_service": region.forwarding_rule,
                    "nat_subnetwork": foundation.vpc.psc_nat_subnetwork_ids[name],
                }
                for name, region in regions.items()
            },
            "accept": _accepted(platform),
            "consume": {
                name: endpoints
                for name, consumer in platform.consumers.items()
                if (endpoints := _endpoints(platform, foundation, name, consumer, google))
            },
            "allow_psc_global_access": True,
        },
        google,
    )


def _accepted(platform: Platform) -> list[AcceptedConsumer]:
    """One entry for each project: two consumers in one project share its limit."""
    limits: dict[str, int] = {}
    for consumer in platform.consumers.values():
        project = _project_of(platform, consumer)
        limits[project] = limits.get(project, 0) + consumer.connection_limit
    return [{"project": project, "connection_limit": limit} for project, limit in limits.items()]


def _project_of(platform: Platform, consumer: Consumer) -> str:
    if consumer.network is not None:
        return consumer.network.split("/")[1]
    return consumer.project or platform.project.id


def _endpoints(
    platform: Platform,
    foundation: Foundation,
    name: str,
    consumer: Consumer,
    google: pulumi.ResourceOptions,
) -> EndpointsOf | None:
    """Where the consumer gets endpoints; None for a project that makes its own."""
    hostname = platform.gateway.hostname
    if consumer.network is not None:
        return {
            "project": _project_of(platform, consumer),
            "network": consumer.network,
            "subnetworks": consumer.subnetworks,
            "dns_name": hostname,
        }
    if not consumer.subnets:
        return None
    vpc = ConsumerVpc(
        name,
        {
            "project": foundation.services.project_for("compute"),
            "subnets": consumer.subnets,
            "deletion_protection": platform.deletion_protection,
        },
        google,
    )
    return {
        "network": vpc.network_id,
        "subnetworks": vpc.subnetwork_ids,
        "dns_name": hostname,
        "project": platform.project.id,
    }

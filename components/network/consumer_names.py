"""The DNS names of a consumer's network: the service's own, and one for each region."""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_gcp as gcp

from components.names import label_of

TTL_SECONDS = 60


def private_zone(
    name: str,
    service: str,
    project: pulumi.Input[str],
    dns_name: str,
    networks: Sequence[pulumi.Input[str]],
    parent: pulumi.ComponentResource,
) -> gcp.dns.ManagedZone:
    """Make the zone of `dns_name`, seen from the networks alone.

    The zone is the service's name alone, so that no other name of its domain is hidden.
    """
    return gcp.dns.ManagedZone(
        f"{name}-zone",
        name=label_of(service, dns_name),
        project=project,
        dns_name=f"{dns_name}.",
        description=f"{dns_name} at its Private Service Connect endpoints",
        visibility="private",
        private_visibility_config={"networks": [{"network_url": network} for network in networks]},
        opts=pulumi.ResourceOptions(parent=parent),
    )


def nearest(
    addresses: Mapping[str, pulumi.Input[str]],
) -> gcp.dns.RecordSetRoutingPolicyArgsDict:
    """Answer with the address of the nearest region, be it served or not."""
    return {
        "geos": [
            {"location": region, "rrdatas": [address]} for region, address in addresses.items()
        ]
    }


def nearest_healthy(
    addresses: Mapping[str, pulumi.Input[str]],
    project: pulumi.Input[str],
    network: pulumi.Input[str],
) -> gcp.dns.RecordSetRoutingPolicyArgsDict:
    """Answer with the nearest address of a cross-region internal load balancer that is healthy.

    Without a fence: when a region's is not, the next nearest is the answer.
    https://cloud.google.com/dns/docs/routing-policies-overview#health-checks
    """
    return {
        "enable_geo_fencing": False,
        "geos": [
            {
                "location": region,
                "health_checked_targets": {
                    "internal_load_balancers": [
                        {
                            "load_balancer_type": "globalL7ilb",
                            "ip_address": address,
                            "ip_protocol": "tcp",
                            "port": "443",
                            "network_url": network,
                            "project": project,
                        }
                    ]
                },
            }
            for region, address in addresses.items()
        ],
    }

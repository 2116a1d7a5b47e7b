"""RestrictedGoogleApis: a network's calls to Google APIs go through the restricted addresses.

Owns the private zones and the route. Does not own the network or the perimeter they serve.
"""

from collections.abc import Mapping
from typing import TypedDict

import pulumi
import pulumi_gcp as gcp

from components.validation import Problems, component_type, register

ADDRESS_RANGE = "199.36.153.4/30"
ADDRESSES = ("199.36.153.4", "199.36.153.5", "199.36.153.6", "199.36.153.7")

_HOSTS: Mapping[str, str] = {
    "googleapis.com": "restricted.googleapis.com",
    "gcr.io": "gcr.io",
    "pkg.dev": "pkg.dev",
}
_TTL_SECONDS = 300


class RestrictedGoogleApisArgs(TypedDict):
    """Arguments of RestrictedGoogleApis."""

    project: pulumi.Input[str]
    """Id of the network's project."""
    network: pulumi.Input[str]
    """Id of the network."""


def validate_restricted_google_apis(name: str) -> Problems:
    """Check that the names made from the component's are allowed."""
    problems = Problems()
    problems.check_name(f"{name}-googleapis-com", "name")
    return problems


class RestrictedGoogleApis(pulumi.ComponentResource):
    """Resolves Google's API and registry domains to the restricted addresses, and routes them.

    Only services that VPC Service Controls supports answer there, and only those the perimeter
    makes accessible: without this, a workload could reach all other APIs around the perimeter.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/vpc-service-controls/docs/set-up-private-connectivity
    """

    zone_names: Mapping[str, pulumi.Output[str]]
    """Name of the private zone by domain."""

    def __init__(
        self,
        name: str,
        args: RestrictedGoogleApisArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(component_type(RestrictedGoogleApis), name, {}, opts)
        validate_restricted_google_apis(name).raise_if_any(f"RestrictedGoogleApis {name}")

        gcp.compute.Route(
            f"{name}-route",
            name=f"{name}-route",
            project=args["project"],
            network=args["network"],
            description="Google APIs through the restricted address range",
            dest_range=ADDRESS_RANGE,
            next_hop_gateway="default-internet-gateway",
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.zone_names = {
            domain: self._zone(name, args, domain, host) for domain, host in _HOSTS.items()
        }
        register(self)

    def _zone(
        self, name: str, args: RestrictedGoogleApisArgs, domain: str, host: str
    ) -> pulumi.Output[str]:
        zone_name = f"{name}-{domain.replace('.', '-')}"
        zone = gcp.dns.ManagedZone(
            zone_name,
            name=zone_name,
            project=args["project"],
            dns_name=f"{domain}.",
            description=f"{domain} at the restricted addresses",
            visibility="private",
            private_visibility_config={"networks": [{"network_url": args["network"]}]},
            opts=pulumi.ResourceOptions(parent=self),
        )
        records = {"a": (host, "A", ADDRESSES), "cname": (f"*.{domain}", "CNAME", (f"{host}.",))}
        for role, (record, type_, values) in records.items():
            gcp.dns.RecordSet(
                f"{zone_name}-{role}",
                name=f"{record}.",
                project=args["project"],
                managed_zone=zone.name,
                type=type_,
                ttl=_TTL_SECONDS,
                rrdatas=values,
                opts=pulumi.ResourceOptions(parent=self),
            )
        return zone.name

"""PrivateName: a DNS name that networks resolve to an internal address.

Owns the private zone and its record. Does not own the address nor the networks.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import Entries
from catalog.limits.names import DNS_NAME
from components.names import label_of
from components.ready import after
from components.validation import Problems, component_type, register

_TTL_SECONDS = 300


class PrivateNameArgs(TypedDict):
    """Arguments of PrivateName."""

    project: pulumi.Input[str]
    """Id of the project."""
    hostname: Annotated[str, DNS_NAME]
    """The name, without a dot at its end."""
    addresses: Annotated[Mapping[str, pulumi.Input[str]], Entries("an IPv4 address of a region")]
    """IPv4 addresses it stands for, by region: who asks gets the nearest."""
    networks: Annotated[Sequence[pulumi.Input[str]], Entries("the id of a network")]
    """Ids of the networks that resolve it."""


def validate_private_name(args: PrivateNameArgs) -> Problems:
    """Check the plain values of the arguments."""
    return Problems.of(PrivateNameArgs, args)


class PrivateName(pulumi.ComponentResource):
    """A private zone of the name alone, so that no other name of its domain is hidden.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/dns/docs/zones/zones-overview#private-zones
    """

    hostname: pulumi.Output[str]
    """Waits for the record."""

    def __init__(
        self, name: str, args: PrivateNameArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(PrivateName), name, {}, opts)
        validate_private_name(args).raise_if_any(f"PrivateName {name}")
        hostname = args["hostname"]
        zone = gcp.dns.ManagedZone(
            f"{name}-zone",
            name=label_of(name, hostname),
            project=args["project"],
            dns_name=f"{hostname}.",
            description=f"{hostname} inside the platform",
            visibility="private",
            private_visibility_config={
                "networks": [{"network_url": network} for network in args["networks"]]
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        nearest: gcp.dns.RecordSetRoutingPolicyArgsDict = {
            "geos": [
                {"location": region, "rrdatas": [address]}
                for region, address in args["addresses"].items()
            ]
        }
        single = len(args["addresses"]) == 1
        record = gcp.dns.RecordSet(
            f"{name}-record",
            name=zone.dns_name,
            project=args["project"],
            managed_zone=zone.name,
            type="A",
            ttl=_TTL_SECONDS,
            rrdatas=[*args["addresses"].values()] if single else None,
            routing_policy=None if single else nearest,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.hostname = after(hostname, record.id)
        register(self)

"""PrivateServiceAccess: a range of a network in which Google runs managed services for it.

Owns the range and the connection, one of each network. Does not own the services in the range.
"""

import ipaddress
from typing import Annotated, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import network as limits
from components.validation import Problems, component_type, register

_SERVICE = "servicenetworking.googleapis.com"


class PrivateServiceAccessArgs(TypedDict):
    """Arguments of PrivateServiceAccess."""

    project: pulumi.Input[str]
    """Id of the project, Service Networking enabled."""
    network: pulumi.Input[str]
    """Id of the network."""
    range: Annotated[str, limits.MANAGED_SERVICES]
    """Range that nothing else in the network uses."""
    deletion_protection: NotRequired[bool]
    """Whether the range is protected from deletion; default false."""


def validate_private_service_access(name: str, args: PrivateServiceAccessArgs) -> Problems:
    """Check the plain values of the arguments, and that the names made from them are allowed."""
    problems = Problems.of(PrivateServiceAccessArgs, args)
    problems.check_name(f"{name}-services", "name")
    return problems


class PrivateServiceAccess(pulumi.ComponentResource):
    """Peers a network with Google's own, in which managed services get addresses of the range.

    The firewall of the network stays closed: connections only go out to the services.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/vpc/docs/private-services-access
    """

    network_id: pulumi.Output[str]
    """The network, once services can be made in it."""
    range_name: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        args: PrivateServiceAccessArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(component_type(PrivateServiceAccess), name, {}, opts)
        validate_private_service_access(name, args).raise_if_any(f"PrivateServiceAccess {name}")
        network = ipaddress.IPv4Network(args["range"])
        services = gcp.compute.GlobalAddress(
            f"{name}-range",
            name=f"{name}-services",
            project=args["project"],
            network=args["network"],
            purpose="VPC_PEERING",
            address_type="INTERNAL",
            address=str(network.network_address),
            prefix_length=network.prefixlen,
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=args.get("deletion_protection") or None,
                delete_before_replace=True,
            ),
        )
        connection = gcp.servicenetworking.Connection(
            f"{name}-connection",
            network=args["network"],
            service=_SERVICE,
            reserved_peering_ranges=[services.name],
            # A service that is gone may hold its connection for days, and with it the network.
            deletion_policy="REMOVE_PEERING",
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.network_id = connection.network
        self.range_name = services.name
        register(self)

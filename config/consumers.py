"""Consumers: who may connect to the gateway through Private Service Connect."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from catalog.limits import network as limits
from config.fields import ProjectId, Settings

ConsumerName = Annotated[str, limits.CONSUMER_NAME]
NetworkName = Annotated[str, limits.NETWORK]


class Failover(Settings):
    """A cross-region internal load balancer in the consumer's network, before all regions.

    Cloud DNS checks the health of load balancers, never that of Private Service Connect endpoints,
    so without one the name is answered with the nearest endpoint, be it served or not.
    """

    proxy_only: Mapping[str, Annotated[str, limits.PROXY_ONLY]] = Field(default_factory=dict)
    """Addresses of the load balancer's proxies in each region of a network made here: private
    CIDR, /26 or larger. An existing network has its own already."""
    outlier_detection: bool = True
    """Whether a region whose answers fail is left out for a while. Google's pages give it to
    this load balancer, the provider's don't: set false if it is refused."""


class Consumer(Settings):
    """One consumer: a network made here, an existing one, or a project that is only accepted. Its
    rate and quota are kept by Apigee, and stand in api_management."""

    subnets: Mapping[str, Annotated[str, limits.SUBNET]] = Field(default_factory=dict)
    """Makes a VPC with a subnet of this private range in each region, an endpoint in it and the
    DNS name."""
    network: NetworkName | None = None
    """Full name of an existing VPC network that gets endpoints."""
    subnetworks: Mapping[
        str,
        Annotated[str, limits.SUBNETWORK],
    ] = Field(default_factory=dict)
    """Full name of the existing subnetwork for the endpoint, by region."""
    project: ProjectId | None = None
    """Id of a project whose owners make their own endpoints; it is only accepted."""
    shared_with: tuple[NetworkName, ...] = ()
    """Full names of existing networks whose workloads use these endpoints, through a Network
    Connectivity Center hub: this is then a shared services-access network."""
    failover: Failover | None = None
    """Answers the hostname with the nearest region that works, by a load balancer in the
    consumer's network. With one region it does nothing, until there is another."""
    connection_limit: Annotated[int, limits.CONNECTION_LIMIT] = limits.CONNECTION_LIMIT.default
    """Endpoints, and load balancers' backends, the consumer may connect at most in a region."""

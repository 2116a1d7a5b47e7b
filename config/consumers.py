"""Consumers: who may connect to the gateway through Private Service Connect."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from config.fields import PROJECT_ID, Matching, ProjectId, Range, Settings, label

ConsumerName = Annotated[str, label(20, "it becomes part of network names")]


NetworkName = Annotated[
    str,
    Matching(
        f"projects/{PROJECT_ID}/global/networks/[a-z][a-z0-9-]{{0,62}}",
        "a network's full name",
        "write it like projects/acme-apps/global/networks/apps",
    ),
]


class Failover(Settings):
    """A cross-region internal load balancer in the consumer's network, before all regions.

    Cloud DNS checks the health of load balancers, never that of Private Service Connect endpoints,
    so without one the name is answered with the nearest endpoint, be it served or not.
    """

    proxy_only: Mapping[str, Annotated[str, Range(26)]] = Field(
        default_factory=dict,
        description="Addresses of the load balancer's proxies in each region of a network made"
        " here: private CIDR, /26 or larger. An existing network has its own already.",
    )
    outlier_detection: bool = Field(
        default=True,
        description="Whether a region whose answers fail is left out for a while. Google's pages"
        " give it to this load balancer, the provider's don't: set false if it is refused.",
    )


class Consumer(Settings):
    """One consumer: a network made here, an existing one, or a project that is only accepted."""

    subnets: Mapping[str, Annotated[str, Range(29)]] = Field(
        default_factory=dict,
        description="Makes a VPC with a subnet of this private range in each region, an endpoint in"
        " it and the DNS name.",
    )
    network: NetworkName | None = Field(
        default=None, description="Full name of an existing VPC network that gets endpoints."
    )
    subnetworks: Mapping[
        str,
        Annotated[
            str,
            Matching(
                f"projects/{PROJECT_ID}/regions/[a-z0-9-]+/subnetworks/[a-z][a-z0-9-]{{0,62}}",
                "a subnetwork's full name",
                "write it like projects/acme-apps/regions/us-central1/subnetworks/apps",
            ),
        ],
    ] = Field(
        default_factory=dict,
        description="Full name of the existing subnetwork for the endpoint, by region.",
    )
    project: ProjectId | None = Field(
        default=None,
        description="Id of a project whose owners make their own endpoints; it is only accepted.",
    )
    shared_with: tuple[NetworkName, ...] = Field(
        default=(),
        description="Full names of existing networks whose workloads use these endpoints, through"
        " a Network Connectivity Center hub: this is then a shared services-access network.",
    )
    failover: Failover | None = Field(
        default=None,
        description="Answers the hostname with the nearest region that works, by a load balancer"
        " in the consumer's network. With one region it does nothing, until there is another.",
    )
    connection_limit: int = Field(
        default=10,
        ge=1,
        le=1000,
        description="Endpoints, and load balancers' backends, the consumer may connect at"
        " most in a region.",
    )

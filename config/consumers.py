"""Consumers: who may connect to the gateway through Private Service Connect."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from config.fields import Matching, ProjectId, Range, Settings, label

ConsumerName = Annotated[str, label(20, "it becomes part of network names")]
_PROJECT = "[a-z][a-z0-9-]{4,28}[a-z0-9]"


class Consumer(Settings):
    """One consumer: a network made here, an existing one, or a project that is only accepted."""

    subnets: Mapping[str, Annotated[str, Range(29)]] = Field(
        default_factory=dict,
        description="Makes a VPC with a subnet of this private range in each region, an endpoint in"
        " it and the DNS name.",
    )
    network: (
        Annotated[
            str,
            Matching(
                f"projects/{_PROJECT}/global/networks/[a-z][a-z0-9-]{{0,62}}",
                "a network's full name",
                "write it like projects/acme-apps/global/networks/apps",
            ),
        ]
        | None
    ) = Field(default=None, description="Full name of an existing VPC network that gets endpoints.")
    subnetworks: Mapping[
        str,
        Annotated[
            str,
            Matching(
                f"projects/{_PROJECT}/regions/[a-z0-9-]+/subnetworks/[a-z][a-z0-9-]{{0,62}}",
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
    connection_limit: int = Field(
        default=10, ge=1, le=1000, description="Endpoints the consumer may connect at most."
    )

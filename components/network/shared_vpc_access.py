"""SharedVpcAccess: which agents of a service project use which subnets of a Shared VPC.

Owns the grants. Does not own the network, nor that the project is attached to its host.
"""

from collections.abc import Mapping
from typing import Annotated, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import Entries
from components.ready import after
from components.validation import Problems, component_type, register


class SharedSubnetwork(TypedDict):
    """A subnet, and who puts what it makes into it."""

    id: pulumi.Input[str]
    """Id of the subnet."""
    users: Annotated[Mapping[str, pulumi.Input[str]], Entries("a service account")]
    """Emails of Google's agents, or of other service accounts, by any short name."""


class SharedVpcAccessArgs(TypedDict):
    """Arguments of SharedVpcAccess."""

    project: pulumi.Input[str]
    """Id of the host project."""
    subnetworks: Annotated[Mapping[str, SharedSubnetwork], Entries("a subnet")]
    """Subnets, by region."""
    cluster_agent: NotRequired[pulumi.Input[str]]
    """Email of GKE's agent of the service project, where that has clusters in the network."""


def validate_shared_vpc_access(args: SharedVpcAccessArgs) -> Problems:
    """Check the plain values of the arguments."""
    return Problems.of(SharedVpcAccessArgs, args)


class SharedVpcAccess(pulumi.ComponentResource):
    """Grants the use of exactly the named subnets, and GKE's agent its role on the host project.

    A role on the host project would open every subnet of the network.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/kubernetes-engine/docs/how-to/cluster-shared-vpc
    https://cloud.google.com/run/docs/configuring/shared-vpc-direct-vpc
    https://cloud.google.com/dataflow/docs/guides/specifying-networks#shared
    """

    subnetwork_ids: Mapping[str, pulumi.Output[str]]
    """By region; for who takes it, its users may use it."""

    def __init__(
        self, name: str, args: SharedVpcAccessArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(SharedVpcAccess), name, {}, opts)
        validate_shared_vpc_access(args).raise_if_any(f"SharedVpcAccess {name}")
        child = pulumi.ResourceOptions(parent=self)
        host: list[pulumi.Output[str]] = []
        if "cluster_agent" in args:
            grant = gcp.projects.IAMMember(
                f"{name}-cluster-agent",
                project=args["project"],
                role="roles/container.hostServiceAgentUser",
                member=pulumi.Output.concat("serviceAccount:", args["cluster_agent"]),
                opts=child,
            )
            host.append(grant.id)
        self.subnetwork_ids = {
            region: after(
                subnetwork["id"],
                *host,
                *[
                    gcp.compute.SubnetworkIAMMember(
                        f"{name}-{region}-{user}",
                        project=args["project"],
                        region=region,
                        subnetwork=subnetwork["id"],
                        role="roles/compute.networkUser",
                        member=pulumi.Output.concat("serviceAccount:", email),
                        opts=child,
                    ).id
                    for user, email in subnetwork["users"].items()
                ],
            )
            for region, subnetwork in args["subnetworks"].items()
        }
        register(self)

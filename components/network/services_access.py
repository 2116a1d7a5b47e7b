"""ServicesAccess: one network's Private Service Connect endpoints, used from many networks.

Owns the Network Connectivity Center hub and its spokes. Does not own the networks, nor the
endpoints in the shared one (PscEndpoint makes them) and their names.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import Entries
from catalog.problems import Problem, shown
from components.names import label_of
from components.validation import Problems, component_type, register

CENTER = "center"
EDGE = "edge"


class Spoke(TypedDict):
    """A network connected to the hub."""

    project: str
    """Id of the network's project; a spoke is always there."""
    network: pulumi.Input[str]
    """Id or self link of the network."""


class ServicesAccessArgs(TypedDict):
    """Arguments of ServicesAccess."""

    project: pulumi.Input[str]
    """Id of the hub's project."""
    shared: Spoke
    """The network with the endpoints."""
    users: Annotated[Mapping[str, Spoke], Entries("the networks that use the endpoints")]
    """The networks that use them, by a name of their own."""


class ServicesAccess(pulumi.ComponentResource):
    """A hub in a star: the shared network in its center, the others at its edge.

    Connections are propagated from the center's endpoints to every edge, and subnet routes go
    between center and edge alone: users of the endpoints do not reach each other. Ranges of
    networks in one hub must not overlap. Spokes of the users' projects are accepted at once.
    https://cloud.google.com/vpc/docs/about-propagated-connections
    https://cloud.google.com/network-connectivity/docs/network-connectivity-center/concepts/overview

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    """

    hub_id: pulumi.Output[str]
    spoke_ids: Mapping[str, pulumi.Output[str]]
    """By the user's name."""

    def __init__(
        self, name: str, args: ServicesAccessArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(ServicesAccess), name, {}, opts)
        validate_services_access(name, args).raise_if_any(f"ServicesAccess {name}")
        hub = gcp.networkconnectivity.Hub(
            f"{name}-hub",
            name=name,
            project=args["project"],
            description="Networks that use the shared Private Service Connect endpoints",
            preset_topology="STAR",
            export_psc=True,
            opts=pulumi.ResourceOptions(parent=self),
        )
        edge = gcp.networkconnectivity.Group(
            f"{name}-edge",
            name=EDGE,
            project=args["project"],
            hub=hub.id,
            auto_accept={
                "auto_accept_projects": sorted({user["project"] for user in args["users"].values()})
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        center = self._spoke(f"{name}-{CENTER}", hub, CENTER, args["shared"], [])
        spokes = {
            user: self._spoke(f"{name}-{user}", hub, EDGE, spoke, [edge, center])
            for user, spoke in args["users"].items()
        }
        self.hub_id = hub.id
        self.spoke_ids = {user: spoke.id for user, spoke in spokes.items()}
        register(self)

    def _spoke(
        self,
        name: str,
        hub: gcp.networkconnectivity.Hub,
        group: str,
        spoke: Spoke,
        needed: list[pulumi.Resource],
    ) -> gcp.networkconnectivity.Spoke:
        return gcp.networkconnectivity.Spoke(
            name,
            name=label_of(name),
            project=spoke["project"],
            location="global",
            hub=hub.id,
            group=group,
            linked_vpc_network={"uri": spoke["network"]},
            opts=pulumi.ResourceOptions(parent=self, depends_on=needed),
        )


def validate_services_access(name: str, args: ServicesAccessArgs) -> Problems:
    """Check the plain values of the arguments."""
    problems = Problems.of(ServicesAccessArgs, args)
    problems.check_name(name, "name")
    problems.extend(_rules(args), "users")
    return problems


def _rules(args: ServicesAccessArgs) -> Iterator[Problem]:
    seen = [args["shared"]["network"]]
    for user, spoke in args["users"].items():
        network = spoke["network"]
        if user in {CENTER, EDGE}:
            yield Problem((user,), shown(user), "another name", "rename it")
        if isinstance(network, str):
            if network in seen:
                yield Problem(
                    (user, "network"), f"{shown(network)} again", "each network once", "remove one"
                )
            seen.append(network)

"""ConsumerVpc: a network whose workloads use the platform through Private Service Connect.

Owns the network, a subnet per region and a closed firewall. Does not own the endpoints in it
(PscEndpoint makes them) nor the workloads.
"""

from collections.abc import Mapping
from typing import Annotated, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import Entries
from catalog.limits import network as limits
from catalog.problems import KeyPath
from components.network.defaults import FLOW_LOGS, deny_ingress
from components.validation import Problems, component_type, register


class ConsumerVpcArgs(TypedDict):
    """Arguments of ConsumerVpc."""

    project: pulumi.Input[str]
    """Id of the project."""
    subnets: Annotated[
        Mapping[str, Annotated[pulumi.Input[str], limits.SUBNET]], Entries("the range of a region")
    ]
    """IPv4 range in CIDR notation by region."""
    proxy_only: NotRequired[Mapping[str, Annotated[pulumi.Input[str], limits.PROXY_ONLY]]]
    """IPv4 range, by region, of the proxies of cross-region load balancers; default: none."""
    deletion_protection: NotRequired[bool]
    """Whether the network and its subnets are protected from deletion; default false."""


def validate_consumer_vpc(name: str, args: ConsumerVpcArgs) -> Problems:
    """Check the plain values of the arguments, and that the names made from them are allowed."""
    problems = Problems.of(ConsumerVpcArgs, args)
    problems.check_name(f"{name}-deny-ingress", "name")
    proxies = args.get("proxy_only", {})
    for region in args["subnets"]:
        problems.check_name(f"{name}-{region}", "subnets", region)
    for region in proxies:
        problems.check_name(f"{name}-{region}-proxy-only", "proxy_only", region)
    ranges: dict[KeyPath, object] = {
        **{("subnets", region): cidr for region, cidr in args["subnets"].items()},
        **{("proxy_only", region): cidr for region, cidr in proxies.items()},
    }
    problems.extend(limits.apart(ranges))
    return problems


class ConsumerVpc(pulumi.ComponentResource):
    """A custom mode network, private, with a subnet per region and no way in.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/vpc/docs/about-accessing-vpc-hosted-services-endpoints
    """

    network_id: pulumi.Output[str]
    network_name: pulumi.Output[str]
    network_self_link: pulumi.Output[str]
    subnetwork_ids: Mapping[str, pulumi.Output[str]]
    """By region."""
    proxy_only_subnetwork_ids: Mapping[str, pulumi.Output[str]]
    """By region; empty without `proxy_only`."""

    def __init__(
        self, name: str, args: ConsumerVpcArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(ConsumerVpc), name, {}, opts)
        validate_consumer_vpc(name, args).raise_if_any(f"ConsumerVpc {name}")
        protected = pulumi.ResourceOptions(
            parent=self, protect=args.get("deletion_protection") or None
        )

        network = gcp.compute.Network(
            f"{name}-network",
            name=name,
            project=args["project"],
            auto_create_subnetworks=False,
            routing_mode="GLOBAL" if len(args["subnets"]) > 1 else "REGIONAL",
            opts=protected,
        )
        deny_ingress(name, args["project"], network.id, self)
        self.network_id = network.id
        self.network_name = network.name
        self.network_self_link = network.self_link
        self.subnetwork_ids = {
            region: gcp.compute.Subnetwork(
                f"{name}-{region}",
                name=f"{name}-{region}",
                project=args["project"],
                network=network.id,
                region=region,
                ip_cidr_range=ip_cidr_range,
                private_ip_google_access=True,
                log_config=FLOW_LOGS,
                opts=protected,
            ).id
            for region, ip_cidr_range in args["subnets"].items()
        }
        self.proxy_only_subnetwork_ids = {
            region: gcp.compute.Subnetwork(
                f"{name}-{region}-proxy-only",
                name=f"{name}-{region}-proxy-only",
                project=args["project"],
                network=network.id,
                region=region,
                ip_cidr_range=ip_cidr_range,
                purpose="GLOBAL_MANAGED_PROXY",
                role="ACTIVE",
                opts=protected,
            ).id
            for region, ip_cidr_range in args.get("proxy_only", {}).items()
        }
        register(self)

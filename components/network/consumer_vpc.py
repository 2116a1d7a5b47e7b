"""ConsumerVpc: a network whose workloads use the platform through Private Service Connect.

Owns the network, a subnet per region and a closed firewall. Does not own the endpoints in it
(PscEndpoint makes them) nor the workloads.
"""

import ipaddress
from collections.abc import Mapping
from typing import NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from components.network.defaults import FLOW_LOGS, deny_ingress
from components.validation import Problems, component_type, register

# https://cloud.google.com/load-balancing/docs/proxy-only-subnets
SMALLEST_PROXY_ONLY = 26


class ConsumerVpcArgs(TypedDict):
    """Arguments of ConsumerVpc."""

    project: pulumi.Input[str]
    """Id of the project."""
    subnets: Mapping[str, pulumi.Input[str]]
    """IPv4 range in CIDR notation by region."""
    proxy_only: NotRequired[Mapping[str, pulumi.Input[str]]]
    """IPv4 range, by region, of the proxies of cross-region load balancers; default: none."""
    deletion_protection: NotRequired[bool]
    """Whether the network and its subnets are protected from deletion; default false."""


def validate_consumer_vpc(name: str, args: ConsumerVpcArgs) -> Problems:
    """Check the plain values of the arguments, and that the names made from them are allowed."""
    problems = Problems()
    problems.check_name("name", f"{name}-deny-ingress")
    problems.check_not_empty("subnets", args["subnets"], "the range of a region")
    placed: dict[str, ipaddress.IPv4Network] = {}
    for region, ip_cidr_range in args["subnets"].items():
        path = f"subnets.{region}"
        problems.check_name(path, f"{name}-{region}")
        network = problems.check_cidr(path, ip_cidr_range)
        if network is not None:
            placed[path] = network
    for region, ip_cidr_range in args.get("proxy_only", {}).items():
        path = f"proxy_only.{region}"
        problems.check_name(path, f"{name}-{region}-proxy-only")
        network = problems.check_cidr(path, ip_cidr_range, SMALLEST_PROXY_ONLY)
        if network is not None:
            placed[path] = network
    problems.check_no_overlap(placed)
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

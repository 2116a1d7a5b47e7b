"""Vpc: the network the platform runs in.

Owns the network, its subnets, egress through Cloud NAT and the firewall. Does not own the clusters
in it (GKE makes the rules for its own nodes and pods), nor what is published from it.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog import ports
from catalog.limits import Entries
from catalog.limits import network as limits
from catalog.limits.names import PORT
from components.network.defaults import FLOW_LOGS, deny_ingress
from components.network.restricted_google_apis import RestrictedGoogleApis
from components.validation import Problems, component_type, register

PODS_RANGE = "pods"
SERVICES_RANGE = "services"

HEALTH_CHECK_RANGES = ("35.191.0.0/16", "130.211.0.0/22")
"""https://cloud.google.com/load-balancing/docs/health-check-concepts#ip-ranges"""


class SubnetRanges(TypedDict):
    """IPv4 ranges of one region, in CIDR notation; no two of a network overlap."""

    nodes: Annotated[pulumi.Input[str], limits.NODES]
    """Nodes and internal addresses."""
    pods: Annotated[pulumi.Input[str], limits.PODS]
    """Pods; GKE takes a /24 for each node."""
    services: Annotated[pulumi.Input[str], limits.SERVICES]
    """Kubernetes Services."""
    proxy_only: Annotated[pulumi.Input[str], limits.PROXY_ONLY]
    """Proxies of the region's Application Load Balancers; /23 advised."""
    psc_nat: Annotated[pulumi.Input[str], limits.PSC_NAT]
    """Source addresses of Private Service Connect consumers; one per endpoint."""


class VpcArgs(TypedDict):
    """Arguments of Vpc."""

    project: pulumi.Input[str]
    """Id of the project."""
    subnets: Annotated[Mapping[str, SubnetRanges], Entries("the ranges of a region")]
    """Ranges by region, such as `us-central1`."""
    backend_ports: NotRequired[Sequence[Annotated[int, PORT]]]
    """TCP ports of pods behind the load balancer; default: those of
    catalog/ports.py."""
    restricted_google_apis: NotRequired[bool]
    """Whether Google APIs are reached through the restricted address range; default false."""
    deletion_protection: NotRequired[bool]
    """Whether the network and its subnets are protected from deletion; default false."""


def validate_vpc(name: str, args: VpcArgs) -> Problems:
    """Check the plain values of the arguments, and that the names made from them are allowed."""
    problems = Problems.of(VpcArgs, args)
    problems.check_name(name, "name")
    for region in args["subnets"]:
        problems.check_name(f"{name}-{region}-allow-load-balancer", "subnets", region)
    problems.extend(
        limits.apart(
            {
                ("subnets", region, role): cidr
                for region, ranges in args["subnets"].items()
                for role, cidr in ranges.items()
            }
        )
    )
    return problems


class Vpc(pulumi.ComponentResource):
    """A custom mode network with, per region, subnets for nodes, load balancer proxies and PSC.

    Nodes have private addresses only and reach out through Cloud NAT. Nothing gets in but the
    load balancer's proxies and Google's health checks, to `backend_ports` of the region's pods;
    all else is denied and logged.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/kubernetes-engine/docs/concepts/alias-ips
    https://cloud.google.com/load-balancing/docs/proxy-only-subnets
    https://cloud.google.com/vpc/docs/about-vpc-hosted-services#psc-subnets
    """

    network_id: pulumi.Output[str]
    network_name: pulumi.Output[str]
    network_self_link: pulumi.Output[str]
    node_subnetwork_ids: Mapping[str, pulumi.Output[str]]
    """By region; secondary ranges PODS_RANGE and SERVICES_RANGE."""
    proxy_only_subnetwork_ids: Mapping[str, pulumi.Output[str]]
    """By region; must exist before a Gateway of the region."""
    psc_nat_subnetwork_ids: Mapping[str, pulumi.Output[str]]
    """By region; for one service attachment only."""

    def __init__(
        self, name: str, args: VpcArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(Vpc), name, {}, opts)
        validate_vpc(name, args).raise_if_any(f"Vpc {name}")
        self._prefix = name
        self._args = args
        self._protected = pulumi.ResourceOptions(
            parent=self, protect=args.get("deletion_protection") or None
        )

        self._network = gcp.compute.Network(
            f"{name}-network",
            name=name,
            project=args["project"],
            auto_create_subnetworks=False,
            routing_mode="GLOBAL" if len(args["subnets"]) > 1 else "REGIONAL",
            opts=self._protected,
        )
        self.network_id = self._network.id
        self.network_name = self._network.name
        self.network_self_link = self._network.self_link
        nodes = {region: self._node_subnetwork(region) for region in args["subnets"]}
        self.node_subnetwork_ids = {region: subnet.id for region, subnet in nodes.items()}
        self.proxy_only_subnetwork_ids = {
            region: self._subnetwork(
                region, "proxy-only", ranges["proxy_only"], "REGIONAL_MANAGED_PROXY", "ACTIVE"
            )
            for region, ranges in args["subnets"].items()
        }
        self.psc_nat_subnetwork_ids = {
            region: self._subnetwork(
                region, "psc-nat", ranges["psc_nat"], "PRIVATE_SERVICE_CONNECT"
            )
            for region, ranges in args["subnets"].items()
        }
        for region, ranges in args["subnets"].items():
            self._egress(region, nodes[region])
            self._allow_load_balancer(region, ranges)
        deny_ingress(name, args["project"], self._network.id, self)
        if args.get("restricted_google_apis", False):
            RestrictedGoogleApis(
                f"{name}-restricted",
                {"project": args["project"], "network": self._network.id},
                opts=pulumi.ResourceOptions(parent=self),
            )
        register(self)

    def _node_subnetwork(self, region: str) -> gcp.compute.Subnetwork:
        ranges = self._args["subnets"][region]
        return gcp.compute.Subnetwork(
            f"{self._prefix}-{region}-nodes",
            name=f"{self._prefix}-{region}-nodes",
            project=self._args["project"],
            network=self._network.id,
            region=region,
            ip_cidr_range=ranges["nodes"],
            secondary_ip_ranges=[
                {"range_name": PODS_RANGE, "ip_cidr_range": ranges["pods"]},
                {"range_name": SERVICES_RANGE, "ip_cidr_range": ranges["services"]},
            ],
            private_ip_google_access=True,
            log_config=FLOW_LOGS,
            opts=self._protected,
        )

    def _subnetwork(
        self,
        region: str,
        role: str,
        ip_cidr_range: pulumi.Input[str],
        purpose: str,
        proxy_role: str | None = None,
    ) -> pulumi.Output[str]:
        return gcp.compute.Subnetwork(
            f"{self._prefix}-{region}-{role}",
            name=f"{self._prefix}-{region}-{role}",
            project=self._args["project"],
            network=self._network.id,
            region=region,
            ip_cidr_range=ip_cidr_range,
            purpose=purpose,
            role=proxy_role,
            opts=self._protected,
        ).id

    def _egress(self, region: str, nodes: gcp.compute.Subnetwork) -> None:
        router = gcp.compute.Router(
            f"{self._prefix}-{region}-router",
            name=f"{self._prefix}-{region}-router",
            project=self._args["project"],
            network=self._network.id,
            region=region,
            opts=pulumi.ResourceOptions(parent=self),
        )
        gcp.compute.RouterNat(
            f"{self._prefix}-{region}-nat",
            name=f"{self._prefix}-{region}-nat",
            project=self._args["project"],
            region=region,
            router=router.name,
            nat_ip_allocate_option="AUTO_ONLY",
            source_subnetwork_ip_ranges_to_nat="LIST_OF_SUBNETWORKS",
            subnetworks=[
                {
                    "name": nodes.self_link,
                    "source_ip_ranges_to_nats": ["PRIMARY_IP_RANGE", "LIST_OF_SECONDARY_IP_RANGES"],
                    "secondary_ip_range_names": [PODS_RANGE],
                }
            ],
            # A node that pulls a model opens more connections than the fixed 64 ports allow.
            enable_dynamic_port_allocation=True,
            enable_endpoint_independent_mapping=False,
            log_config={"enable": True, "filter": "ERRORS_ONLY"},
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _allow_load_balancer(self, region: str, ranges: SubnetRanges) -> None:
        # PSC consumers need no rule: their packets end at the managed proxies, which are outside
        # the firewall's reach, and go on to the pods from the proxy-only range.
        gcp.compute.Firewall(
            f"{self._prefix}-{region}-allow-load-balancer",
            name=f"{self._prefix}-{region}-allow-load-balancer",
            project=self._args["project"],
            network=self._network.id,
            description="Load balancer proxies and health checks to the pods behind them",
            direction="INGRESS",
            source_ranges=[ranges["proxy_only"], *HEALTH_CHECK_RANGES],
            destination_ranges=[ranges["pods"]],
            allows=[
                {
                    "protocol": "tcp",
                    "ports": [str(p) for p in self._args.get("backend_ports", ports.BACKENDS)],
                }
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )

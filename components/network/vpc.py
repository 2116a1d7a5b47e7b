"""Vpc: the network the platform runs in.

Owns the network, its subnets, egress through Cloud NAT and the firewall, as far as no ids of them
are given: those are there already. Does not own the clusters in it (GKE makes the rules for its own
nodes and pods), nor what is published from it.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, NamedTuple, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog import ports
from catalog.limits import Entries
from catalog.limits import network as limits
from catalog.limits.names import PORT
from components.network.defaults import FLOW_LOGS, deny_ingress
from components.network.restricted_google_apis import RestrictedGoogleApis
from components.validation import Problems, component_type, register

_API = "https://www.googleapis.com/compute/v1/"
PODS_RANGE = "pods"
SERVICES_RANGE = "services"

HEALTH_CHECK_RANGES = ("35.191.0.0/16", "130.211.0.0/22")
"""https://cloud.google.com/load-balancing/docs/health-check-concepts#ip-ranges"""

RANGES = ("nodes", "pods", "services", "proxy_only", "psc_nat")
"""The keys of SubnetRanges that are ranges."""


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
    nodes_subnetwork: NotRequired[pulumi.Input[str]]
    """Id of the subnet with the ranges of nodes, pods and Services; default: one is made."""
    pods_range: NotRequired[str]
    """Name of its secondary range for pods; default PODS_RANGE."""
    proxy_only_subnetwork: NotRequired[pulumi.Input[str]]
    """Id of the proxy-only subnet, of which a network has one in a region; default: one is made."""
    psc_nat_subnetwork: NotRequired[pulumi.Input[str]]
    """Id of the subnet of purpose PRIVATE_SERVICE_CONNECT; default: one is made."""
    nat: NotRequired[bool]
    """Whether Cloud NAT is made for the nodes; default true."""
    load_balancer_rule: NotRequired[bool]
    """Whether the firewall rule for load balancers is made; default true."""


class _Made(NamedTuple):
    id: pulumi.Output[str]
    link: pulumi.Output[str]


class VpcArgs(TypedDict):
    """Arguments of Vpc."""

    project: pulumi.Input[str]
    """Id of the project, the network's own."""
    network: NotRequired[pulumi.Input[str]]
    """Id of the network; default: one is made, which nothing gets into that isn't let in here."""
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
                if role in RANGES
            }
        )
    )
    return problems


class Vpc(pulumi.ComponentResource):
    """A custom mode network with, per region, subnets for nodes, load balancer proxies and PSC.

    Nodes have private addresses only and reach out through Cloud NAT. Nothing gets in but the
    load balancer's proxies and Google's health checks, to `backend_ports` of the region's pods;
    all else is denied and logged. In an existing network the rest of its firewall is its owner's.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/kubernetes-engine/docs/concepts/alias-ips
    https://cloud.google.com/load-balancing/docs/proxy-only-subnets
    https://cloud.google.com/vpc/docs/about-vpc-hosted-services#psc-subnets
    """

    project: pulumi.Output[str]
    """Id of the network's project."""
    network_id: pulumi.Output[str]
    network_name: pulumi.Output[str]
    network_self_link: pulumi.Output[str]
    node_subnetwork_ids: Mapping[str, pulumi.Output[str]]
    """By region; one that is made has the secondary ranges PODS_RANGE and SERVICES_RANGE."""
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

        self.project = pulumi.Output.from_input(args["project"])
        network = self._network()
        self.network_id = network.id
        self.network_self_link = network.link
        self.network_name = network.id.apply(lambda id_: id_.rpartition("/")[2])
        nodes = {region: self._nodes(region) for region in args["subnets"]}
        self.node_subnetwork_ids = {region: subnet.id for region, subnet in nodes.items()}
        self.proxy_only_subnetwork_ids = {
            region: self._subnetwork(
                region, "proxy-only", ranges["proxy_only"], "REGIONAL_MANAGED_PROXY", "ACTIVE"
            )
            if "proxy_only_subnetwork" not in ranges
            else pulumi.Output.from_input(ranges["proxy_only_subnetwork"])
            for region, ranges in args["subnets"].items()
        }
        self.psc_nat_subnetwork_ids = {
            region: self._subnetwork(
                region, "psc-nat", ranges["psc_nat"], "PRIVATE_SERVICE_CONNECT"
            )
            if "psc_nat_subnetwork" not in ranges
            else pulumi.Output.from_input(ranges["psc_nat_subnetwork"])
            for region, ranges in args["subnets"].items()
        }
        for region, ranges in args["subnets"].items():
            if ranges.get("nat", True):
                self._egress(region, nodes[region].link)
            if ranges.get("load_balancer_rule", True):
                self._allow_load_balancer(region, ranges)
        if "network" not in args:
            deny_ingress(name, args["project"], self.network_id, self)
        if args.get("restricted_google_apis", False):
            RestrictedGoogleApis(
                f"{name}-restricted",
                {"project": args["project"], "network": self.network_id},
                opts=pulumi.ResourceOptions(parent=self),
            )
        register(self)

    def _network(self) -> _Made:
        args = self._args
        if "network" in args:
            return _there(args["network"])
        network = gcp.compute.Network(
            f"{self._prefix}-network",
            name=self._prefix,
            project=args["project"],
            auto_create_subnetworks=False,
            routing_mode="GLOBAL" if len(args["subnets"]) > 1 else "REGIONAL",
            opts=self._protected,
        )
        return _Made(network.id, network.self_link)

    def _nodes(self, region: str) -> _Made:
        ranges = self._args["subnets"][region]
        if "nodes_subnetwork" in ranges:
            return _there(ranges["nodes_subnetwork"])
        subnetwork = gcp.compute.Subnetwork(
            f"{self._prefix}-{region}-nodes",
            name=f"{self._prefix}-{region}-nodes",
            project=self._args["project"],
            network=self.network_id,
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
        return _Made(subnetwork.id, subnetwork.self_link)

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
            network=self.network_id,
            region=region,
            ip_cidr_range=ip_cidr_range,
            purpose=purpose,
            role=proxy_role,
            opts=self._protected,
        ).id

    def _egress(self, region: str, nodes: pulumi.Output[str]) -> None:
        router = gcp.compute.Router(
            f"{self._prefix}-{region}-router",
            name=f"{self._prefix}-{region}-router",
            project=self._args["project"],
            network=self.network_id,
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
                    "name": nodes,
                    "source_ip_ranges_to_nats": ["PRIMARY_IP_RANGE", "LIST_OF_SECONDARY_IP_RANGES"],
                    "secondary_ip_range_names": [
                        self._args["subnets"][region].get("pods_range", PODS_RANGE)
                    ],
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
            network=self.network_id,
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


def _there(id_: pulumi.Input[str]) -> _Made:
    """Return what is there already, by its id."""
    return _Made(pulumi.Output.from_input(id_), pulumi.Output.concat(_API, id_))

"""CloudRunLoadBalancer: an HTTPS Application Load Balancer before a Cloud Run service.

Owns everything from the address to the serverless endpoint group, and the rules of Cloud Armor.
Does not own the service, regional certificates, nor DNS names.
"""

from collections.abc import Mapping
from typing import Annotated, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import cloud_run as limits
from catalog.limits import label
from catalog.limits.names import HOSTNAME
from components.network.armor_rules import Armor, armor_rules
from components.serverless.frontends import Frontend, global_frontend, regional_frontend
from components.validation import Problems, component_type, register

KINDS: Mapping[str, str] = {
    "internal": "INTERNAL_MANAGED",
    "regional-external": "EXTERNAL_MANAGED",
    "global-external": "EXTERNAL_MANAGED",
}
"""The load balancing scheme of each kind."""

LONGEST_NAME = 50


class CloudRunLoadBalancerArgs(TypedDict):
    """Arguments of CloudRunLoadBalancer."""

    project: pulumi.Input[str]
    """Id of the project."""
    region: str
    """Region of the service, and of the load balancer unless it's global."""
    service_name: pulumi.Input[str]
    """Name of the service; its ingress is `load-balancer`, or `internal` behind an internal one."""
    kind: Annotated[str, limits.LOAD_BALANCER]
    """Where its address is reached from, and where it stands."""
    hostname: Annotated[str, HOSTNAME]
    """Name clients use; a global one gets a Google-managed certificate for it."""
    network: NotRequired[pulumi.Input[str]]
    """Id of the network; a regional one needs it, with a proxy-only subnet in it."""
    subnetwork: NotRequired[pulumi.Input[str]]
    """Id of the subnet an internal one gets its address from."""
    proxy_only_subnetwork: NotRequired[pulumi.Input[str]]
    """Id of the region's proxy-only subnet, which must exist before a regional one."""
    certificate: NotRequired[pulumi.Input[str]]
    """Full name of a certificate in Certificate Manager, in the region; a regional one needs it."""
    armor: NotRequired[Armor]
    """Who may come, and how often (Cloud Armor); default: no rules. For an internal one
    unverified that Cloud Armor takes rates there, so set it there after a trial."""


def validate_cloud_run_load_balancer(name: str, args: CloudRunLoadBalancerArgs) -> Problems:
    """Check the plain values of the arguments, and that the names made from them are allowed."""
    problems = Problems.of(CloudRunLoadBalancerArgs, args)
    problems.check_limit(label(LONGEST_NAME, "resource names begin with it"), name, "name")
    kind = args["kind"]
    needed = {
        "internal": ("network", "subnetwork", "certificate"),
        "regional-external": ("network", "certificate"),
    }
    for key in needed.get(kind, ()):
        if key not in args:
            problems.add(key, f"found none; allowed: a value; kind {kind} needs it")
    if kind == "global-external" and "certificate" in args:
        problems.add("certificate", "found one; allowed: none; a global one gets its own")
    return problems


class CloudRunLoadBalancer(pulumi.ComponentResource):
    """An HTTPS load balancer, internal or external, regional or global, with a serverless backend.

    TLS 1.2 is the oldest it speaks. IAM still checks each caller at the service, for tokens whose
    audience is the service's URL or one of its custom audiences.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/load-balancing/docs/negs/serverless-neg-concepts
    https://cloud.google.com/armor/docs/integrating-cloud-armor#serverless
    """

    address: pulumi.Output[str]
    """IPv4 address that DNS names the hostname with; waits for the whole load balancer."""

    def __init__(
        self, name: str, args: CloudRunLoadBalancerArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(CloudRunLoadBalancer), name, {}, opts)
        validate_cloud_run_load_balancer(name, args).raise_if_any(f"CloudRunLoadBalancer {name}")
        child = pulumi.ResourceOptions(parent=self)
        group = gcp.compute.RegionNetworkEndpointGroup(
            f"{name}-group",
            name=name,
            project=args["project"],
            region=args["region"],
            network_endpoint_type="SERVERLESS",
            cloud_run={"service": args["service_name"]},
            opts=child,
        )
        build = global_frontend if args["kind"] == "global-external" else regional_frontend
        self.address = build(name, _frontend(args, group), child)
        register(self)


def _frontend(
    args: CloudRunLoadBalancerArgs, group: gcp.compute.RegionNetworkEndpointGroup
) -> Frontend:
    return Frontend(
        project=args["project"],
        region=args["region"],
        internal=args["kind"] == "internal",
        scheme=KINDS[args["kind"]],
        hostname=args["hostname"],
        backend=group.self_link,
        rules=armor_rules(args.get("armor", {})),
        network=args.get("network"),
        subnetwork=args.get("subnetwork"),
        proxy_only_subnetwork=args.get("proxy_only_subnetwork", ""),
        certificate=args.get("certificate", ""),
    )

"""CrossRegionFrontend: one name for a service in several regions, answered where it works.

Owns the load balancer in the consumer's network. Does not own the service attachments behind it,
the network, its proxy-only subnets (purpose GLOBAL_MANAGED_PROXY, one in each region), the
certificate, nor DNS.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Annotated, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import Choice, Entries
from catalog.limits.names import RESOURCE_NAME
from components.names import label_of
from components.network.https import HTTPS_PORT, LOG_EVERY_REQUEST, global_https_proxy
from components.ready import after
from components.validation import Problems, component_type, register

# A region is left out after so many failed answers in a row, all regions but one at most: its
# gateway answers 503 when no replica of a model is left.
_OUTLIERS: gcp.compute.BackendServiceOutlierDetectionArgsDict = {
    "consecutive_errors": 5,
    "consecutive_gateway_failure": 5,
    "enforcing_consecutive_gateway_failure": 100,
    "interval": {"seconds": 5},
    "base_ejection_time": {"seconds": 30},
    "max_ejection_percent": 99,
}


class CrossRegionFrontendArgs(TypedDict):
    """Arguments of CrossRegionFrontend."""

    project: pulumi.Input[str]
    """Id of the network's project."""
    physical_name: Annotated[str, RESOURCE_NAME]
    """First part of the names in Google Cloud."""
    network: pulumi.Input[str]
    """Self link of the consumer's network."""
    subnetworks: Annotated[
        Mapping[str, pulumi.Input[str]], Entries("a subnet of a published region")
    ]
    """Id of the subnet for the addresses, by region."""
    service_attachments: Mapping[str, pulumi.Input[str]]
    """Self link of the service attachment, by the same regions."""
    generations: Mapping[str, pulumi.Input[str]]
    """By region, what changes whenever the attachment is replaced under its own name, such as the
    forwarding rule it publishes."""
    certificate: pulumi.Input[str]
    """Full name of a Certificate Manager certificate in `global`, of scope ALL_REGIONS."""
    proxy_only_subnetworks: NotRequired[Sequence[pulumi.Input[str]]]
    """The proxy-only subnets, where the same program makes them: the rules come after them."""
    request_timeout_seconds: pulumi.Input[int]
    """Longest answer in seconds, its streaming included."""
    outlier_detection: NotRequired[bool]
    """Whether a region whose answers fail is left out for a while; default true. Google's pages
    give it to this load balancer with such backends, the provider's name other schemes only."""


class CrossRegionFrontend(pulumi.ComponentResource):
    """A cross-region internal Application Load Balancer with Private Service Connect backends.

    It has an address in each region and sends a request to the nearest region that works. Cloud DNS
    checks such a load balancer's health, which it cannot do for endpoints. Whether a region works
    is told by its answers (outlier detection): active health checks do not exist for these
    backends, and Composite Health needs the backend services, which the Gateway's controller owns
    and renames. TLS ends here and begins anew towards the gateway; the Host header is kept.
    https://cloud.google.com/vpc/docs/private-service-connect-backends
    https://cloud.google.com/load-balancing/docs/l7-internal

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    """

    addresses: Mapping[str, pulumi.Output[str]]
    """IP address by region, known once its forwarding rule is there."""

    def __init__(
        self, name: str, args: CrossRegionFrontendArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(CrossRegionFrontend), name, {}, opts)
        validate_cross_region_frontend(args).raise_if_any(f"CrossRegionFrontend {name}")
        project, physical_name = args["project"], args["physical_name"]
        child = pulumi.ResourceOptions(parent=self)
        groups = [self._group(name, args, region) for region in args["subnetworks"]]
        service = gcp.compute.BackendService(
            f"{name}-service",
            name=physical_name,
            project=project,
            protocol="HTTPS",
            load_balancing_scheme="INTERNAL_MANAGED",
            backends=[{"group": group.self_link} for group in groups],
            timeout_sec=args["request_timeout_seconds"],
            outlier_detection=_OUTLIERS if args.get("outlier_detection", True) else None,
            log_config=LOG_EVERY_REQUEST,
            opts=child,
        )
        proxy = global_https_proxy(
            name,
            physical_name,
            project,
            service,
            {"certificate_manager_certificates": [args["certificate"]]},
            child,
        )
        self.addresses = {
            region: self._address(name, args, region, proxy) for region in args["subnetworks"]
        }
        register(self)

    def _group(
        self, name: str, args: CrossRegionFrontendArgs, region: str
    ) -> gcp.compute.RegionNetworkEndpointGroup:
        # A new attachment closes the connection to the old one, and a group in use can't go before
        # its successor is there: so it has a name of its own.
        generation = pulumi.Output.from_input(args["generations"][region])
        return gcp.compute.RegionNetworkEndpointGroup(
            f"{name}-{region}-backend",
            name=generation.apply(lambda known: _named(args["physical_name"], known)),
            project=args["project"],
            region=region,
            network_endpoint_type="PRIVATE_SERVICE_CONNECT",
            psc_target_service=args["service_attachments"][region],
            network=args["network"],
            subnetwork=args["subnetworks"][region],
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _address(
        self,
        name: str,
        args: CrossRegionFrontendArgs,
        region: str,
        proxy: gcp.compute.TargetHttpsProxy,
    ) -> pulumi.Output[str]:
        physical_name = label_of(args["physical_name"], region)
        address = gcp.compute.Address(
            f"{name}-{region}-address",
            name=physical_name,
            project=args["project"],
            region=region,
            address_type="INTERNAL",
            purpose="GCE_ENDPOINT",
            subnetwork=args["subnetworks"][region],
            opts=pulumi.ResourceOptions(parent=self),
        )
        rule = gcp.compute.GlobalForwardingRule(
            f"{name}-{region}-rule",
            name=physical_name,
            project=args["project"],
            load_balancing_scheme="INTERNAL_MANAGED",
            ip_address=address.address,
            port_range=str(HTTPS_PORT),
            target=after(proxy.self_link, *args.get("proxy_only_subnetworks", ())),
            network=args["network"],
            subnetwork=args["subnetworks"][region],
            opts=pulumi.ResourceOptions(parent=self),
        )
        return after(address.address, rule.id)


def _named(physical_name: str, generation: str) -> str:
    digest = hashlib.sha256(generation.encode()).hexdigest()[:8]
    return label_of(physical_name, digest)


def validate_cross_region_frontend(args: CrossRegionFrontendArgs) -> Problems:
    """Check the plain values of the arguments."""
    problems = Problems.of(CrossRegionFrontendArgs, args)
    for region in args["subnetworks"]:
        problems.check_limit(Choice(args["service_attachments"]), region, "subnetworks", region)
    return problems

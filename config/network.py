"""The network: the address plan of each region, and what of it is there already."""

from collections.abc import Mapping
from typing import Annotated

from catalog.limits import network as limits
from catalog.limits.names import RESOURCE_NAME
from config.fields import Settings

ExistingRegion = Annotated[str, limits.REGION]


Name = Annotated[str, RESOURCE_NAME]


class Network(Settings):
    """The network of the platform. One is made where none is named."""

    existing: Annotated[str, limits.NETWORK] | None = None
    """Full name of an existing network, of this project or of a Shared VPC's host project."""
    google_apis_zone: Name | None = None
    """Name of the private zone, in the network's project, by which the network resolves
    googleapis.com. With a perimeter, one is made by default, and a route, for gcr.io and pkg.dev
    too."""

    @property
    def project(self) -> str | None:
        """Id of the existing network's project."""
        return self.existing.split("/")[1] if self.existing else None


class RouterNat(Settings):
    """A Cloud NAT gateway that is there already."""

    router: Name
    """Name of its Cloud Router."""
    name: Name
    """Name of the gateway."""


class ExistingParts(Settings):
    """What of a region is there already, in the network's project. What isn't named is made."""

    subnetwork: Name | None = None
    """Name of the nodes' subnet, which has the ranges nodes, pods and services."""
    pods_range: Name = "pods"
    """Name of its secondary range for pods."""
    services_range: Name = "services"
    """Name of its secondary range for Kubernetes services."""
    proxy_only: Name | None = None
    """Name of the proxy-only subnet, of which a network has one in a region."""
    psc_nat: Name | None = None
    """Name of a subnet of purpose PRIVATE_SERVICE_CONNECT that no other attachment uses."""
    nat: RouterNat | None = None
    """The Cloud NAT gateway by which nodes and pods reach out."""
    load_balancer_rule: Name | None = None
    """Name of the firewall rule that lets the proxies and Google's health checks reach the pods."""
    cluster: Name | None = None
    """Name of a GKE cluster of this project in that subnet, to which only nodes and what runs on
    them are added."""


class Region(Settings):
    """The ranges of one region. No two ranges of the platform may overlap, across all regions."""

    nodes: Annotated[str, limits.NODES]
    """Addresses of the cluster's nodes: private CIDR, /24 or larger."""
    pods: Annotated[str, limits.PODS]
    """Addresses of pods: private CIDR, /21 or larger. GKE takes a /24 for each node."""
    services: Annotated[str, limits.SERVICES]
    """Addresses of Kubernetes services: private CIDR, /24 or larger."""
    proxy_only: Annotated[str, limits.PROXY_ONLY]
    """Addresses of the internal load balancer's proxies: private CIDR, /26 or larger; Google
    advises /23."""
    psc_nat: Annotated[str, limits.PSC_NAT]
    """Addresses Private Service Connect translates consumers to: private CIDR, /29 or larger. Each
    connected endpoint takes one."""
    existing: ExistingParts = ExistingParts()
    """What is there already; it needs an existing network."""

    @property
    def ranges(self) -> Mapping[str, str]:
        """The ranges, by their keys."""
        return {key: value for key, value in self.model_dump().items() if isinstance(value, str)}

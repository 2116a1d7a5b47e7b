"""The address plan: the ranges of the platform's own network in each region."""

from typing import Annotated

from catalog.limits import network as limits
from config.fields import Settings

ExistingRegion = Annotated[str, limits.REGION]


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

"""The address plan: the ranges of the platform's own network in each region."""

from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from catalog.machines import REGIONS
from config.errors import did_you_mean, listed
from config.fields import Range, Settings, breach


def _existing(name: str) -> str:
    if name not in REGIONS:
        raise breach(listed(REGIONS), did_you_mean(name, REGIONS, "choose one of them"))
    return name


ExistingRegion = Annotated[
    str,
    AfterValidator(_existing),
    WithJsonSchema({"type": "string", "enum": sorted(REGIONS)}),
]


class Region(Settings):
    """The ranges of one region. No two ranges of the platform may overlap, across all regions."""

    nodes: Annotated[str, Range(24)] = Field(
        description="Addresses of the cluster's nodes: private CIDR, /24 or larger."
    )
    pods: Annotated[str, Range(21)] = Field(
        description="Addresses of pods: private CIDR, /21 or larger. GKE takes a /24 for each node."
    )
    services: Annotated[str, Range(24)] = Field(
        description="Addresses of Kubernetes services: private CIDR, /24 or larger."
    )
    proxy_only: Annotated[str, Range(26)] = Field(
        description="Addresses of the internal load balancer's proxies: private CIDR, /26 or"
        " larger; Google advises /23."
    )
    psc_nat: Annotated[str, Range(29)] = Field(
        description="Addresses Private Service Connect translates consumers to: private CIDR, /29"
        " or larger. Each connected endpoint takes one."
    )

"""The way to the gateway for what runs beside the clusters: its name, and who signs for it."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from catalog.conventions import PLATFORM
from components.network.private_name import PrivateName
from components.serverless.cloud_run_arguments import Program, Vpc
from config.platform import Platform
from stacks.foundation import Foundation
from stacks.inference import Region
from stacks.secrets import stored
from stacks.service_variables import ask_models, show_key


@dataclass(frozen=True)
class GatewayAccess:
    """What those who ask models are told."""

    hostname: pulumi.Output[str]
    """Waits until it is known inside the platform's own network too."""
    authorities: Mapping[str, pulumi.Output[str]]
    """By region, the secret with the certificate that signs the gateway's."""

    keys: Mapping[str, pulumi.Output[str]]
    """By service, pipeline or batch that API management counts, the secret with its key."""

    def tell(self, name: str, args: Program, models: tuple[str, ...]) -> None:
        """Tell the container of a service, pipeline or batch where which models are, and what to
        show there."""
        ask_models(args, models, self.hostname, self.authorities.get(args["region"]))
        if name in self.keys:
            show_key(args, self.keys[name])


def build_gateway_access(
    platform: Platform, foundation: Foundation, regions: Mapping[str, Region]
) -> GatewayAccess | None:
    """Make the gateway's name in the platform's network, and the certificates as files; None where
    nobody asks a model."""
    asking = tuple(dict.fromkeys(platform.askers.values()))
    if not asking:
        return None
    certificates = {name: regions[name].certificate.ca_certificate_pem for name in asking}
    name = PrivateName(
        f"{PLATFORM}-gateway",
        {
            "project": foundation.services.project_for("dns"),
            "hostname": platform.gateway.hostname,
            "addresses": {name: regions[name].gateway.address for name in asking},
            "networks": [foundation.vpc.network_id],
        },
        foundation.google,
    )
    return GatewayAccess(
        hostname=name.hostname,
        authorities={
            region: stored(platform, foundation, f"{PLATFORM}-{region}-ca", certificate)
            for region, certificate in certificates.items()
            if certificate is not None
        },
        keys={
            each: stored(platform, foundation, f"{PLATFORM}-{each}-key", regions[region].keys[each])
            for each, region in platform.askers.items()
            if platform.knows_by_key(each)
        },
    )


def network(foundation: Foundation, region: str, egress: str) -> Vpc:
    """Return the platform's network as what is sent into from a region."""
    return {
        "network": foundation.vpc.network_id,
        "subnetwork": foundation.node_subnetwork_ids[region],
        "egress": egress,
    }

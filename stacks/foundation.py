"""What everything else stands on: the provider, the APIs and the network."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from catalog.conventions import PLATFORM
from catalog.limits.names import OWN_LABELS
from catalog.services import identities_for
from components.network.vpc import Vpc
from components.project.services import ProjectServices
from config.platform import Platform
from stacks.encryption import Encryption, encrypting_agents
from stacks.estate import check_network
from stacks.existing_clusters import check_clusters
from stacks.existing_messages import check_messages
from stacks.network import build_network, usable_subnetworks


@dataclass(frozen=True)
class Foundation:
    """The made foundation: the provider goes to every component, the rest where it is needed."""

    provider: gcp.Provider
    services: ProjectServices
    vpc: Vpc
    node_subnetwork_ids: Mapping[str, pulumi.Output[str]]
    """By region, once Google's agents may use them."""
    dns_endpoints: Mapping[str, str]
    """Of the control planes of clusters that are there, by region."""
    encryption: Encryption

    @property
    def google(self) -> pulumi.ResourceOptions:
        """Options of a component that makes Google Cloud's resources."""
        return pulumi.ResourceOptions(
            provider=self.provider, transformations=[self.encryption.encrypt]
        )


def build_foundation(platform: Platform) -> Foundation:
    """Make the provider, enables the APIs and lays the network."""
    provider = gcp.Provider(
        "google",
        project=platform.project.id,
        user_project_override=platform.project.user_project_override,
        billing_project=platform.project.billing_project or platform.project.id,
        default_labels={
            **platform.labels,
            **dict(zip(OWN_LABELS, (platform.environment, PLATFORM, "pulumi"), strict=True)),
        },
        add_pulumi_attribution_label=False,
    )
    options = pulumi.ResourceOptions(provider=provider)
    services = ProjectServices(
        "services",
        {
            "project": platform.project.id,
            "services": platform.apis,
            "identities": sorted({*identities_for(platform.areas), *encrypting_agents(platform)}),
        },
        options,
    )
    check_network(platform, provider)
    dns_endpoints = check_clusters(platform, provider)
    check_messages(platform, provider)
    vpc = build_network(platform, provider, services)
    return Foundation(
        provider,
        services,
        vpc,
        usable_subnetworks(platform, services, vpc, options),
        dns_endpoints,
        Encryption(platform, services, options),
    )

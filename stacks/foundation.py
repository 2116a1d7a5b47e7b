"""What everything else stands on: the provider, the APIs and the network."""

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from catalog import ports
from catalog.conventions import PLATFORM
from catalog.limits.names import OWN_LABELS
from catalog.services import identities_for
from components.inference import envoy_bootstrap
from components.network.vpc import SubnetRanges, Vpc
from components.project.services import ProjectServices
from config.platform import Platform
from stacks.arguments import to_args


@dataclass(frozen=True)
class Foundation:
    """The made foundation: the provider goes to every component, the rest where it is needed."""

    provider: gcp.Provider
    services: ProjectServices
    vpc: Vpc

    @property
    def google(self) -> pulumi.ResourceOptions:
        """Options of a component that makes Google Cloud's resources."""
        return pulumi.ResourceOptions(provider=self.provider)


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
            "identities": identities_for(platform.areas),
        },
        options,
    )
    vpc = Vpc(
        PLATFORM,
        {
            "project": services.project_for("compute", "dns"),
            "subnets": {
                name: to_args(SubnetRanges, region) for name, region in platform.regions.items()
            },
            "backend_ports": _backend_ports(platform),
            "restricted_google_apis": platform.perimeter is not None,
            "deletion_protection": platform.deletion_protection,
        },
        options,
    )
    return Foundation(provider, services, vpc)


def _backend_ports(platform: Platform) -> list[int]:
    """Return the ports of pods that load balancers connect to."""
    found = {*ports.BACKENDS}
    for callout in platform.callouts:
        found |= {callout.port, callout.health_port or callout.port}
    if any(model.external for model in platform.models.values()):
        found.add(envoy_bootstrap.PORT)
    return sorted(found)

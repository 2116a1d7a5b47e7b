"""What stands before services: load balancers and API gateways."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from catalog.armor import MOST_SENSITIVE
from catalog.config_folder import config_folder
from components.inference.private_certificate import PrivateCertificate
from components.network.private_name import PrivateName
from components.serverless.api_document import Callers
from components.serverless.cloud_run_api import CloudRunApi
from components.serverless.cloud_run_load_balancer import (
    CloudRunLoadBalancer,
    CloudRunLoadBalancerArgs,
)
from components.serverless.cloud_run_service import CloudRunService
from config.platform import Platform
from config.services import ApiGateway, LoadBalancer, Service
from stacks.arguments import to_args
from stacks.certificates import CERTIFICATE_MANAGER
from stacks.foundation import Foundation


@dataclass(frozen=True)
class Frontend:
    """Where clients of a service go."""

    url: pulumi.Input[str]
    address: pulumi.Output[str] | None = None
    """IPv4 address the name in the URL must lead to, where it is ours."""
    ca_certificate_pem: pulumi.Output[str] | None = None
    """What clients must trust, where that is not public."""


def build_frontends(
    platform: Platform, foundation: Foundation, services: Mapping[str, CloudRunService]
) -> Mapping[str, Frontend]:
    """Make what stands before each of the services, by the service's name."""
    frontends: dict[str, Frontend] = {}
    for name, settings in platform.services.items():
        builder = _FrontBuilder(platform, foundation, name, settings, services[name])
        if settings.front == "load_balancer" and settings.load_balancer is not None:
            frontends[name] = builder.load_balancer(settings.load_balancer)
        if settings.front == "api_gateway" and settings.api_gateway is not None:
            frontends[name] = builder.api(settings.api_gateway)
    return frontends


def frontend_outputs(
    frontends: Mapping[str, Frontend],
) -> Mapping[str, Mapping[str, pulumi.Input[str]]]:
    """Return the stack's outputs about frontends, by the service's name."""
    return {
        name: {
            key: value
            for key, value in (
                ("url", front.url),
                ("address", front.address),
                ("ca_certificate", front.ca_certificate_pem),
            )
            if value is not None
        }
        for name, front in frontends.items()
    }


@dataclass(frozen=True)
class _FrontBuilder:
    platform: Platform
    foundation: Foundation
    name: str
    settings: Service
    service: CloudRunService

    def load_balancer(self, balancer: LoadBalancer) -> Frontend:
        vpc, region = self.foundation.vpc, self.settings.region
        project = self.foundation.services.project_for("compute", "dns")
        rate = balancer.rate
        args: CloudRunLoadBalancerArgs = {
            "project": project,
            "region": region,
            "service_name": self.service.service_name,
            "kind": balancer.kind,
            "hostname": balancer.hostname,
            "armor": {
                "allow": balancer.allowed_ranges,
                "rate_limit": {"requests": rate, "seconds": 60} if rate else None,
                "waf": balancer.waf_rules,
                "waf_sensitivity": MOST_SENSITIVE,
            },
        }
        url, authority = f"https://{balancer.hostname}", None
        if balancer.kind != "global-external":
            args["network"] = vpc.network_id
            args["proxy_only_subnetwork"] = vpc.proxy_only_subnetwork_ids[region]
        if balancer.certificate is not None:
            args["certificate"] = balancer.certificate
        if balancer.kind == "internal":
            certificate = self._certificate(balancer.hostname)
            authority = certificate.ca_certificate_pem
            args["subnetwork"] = self.foundation.node_subnetwork_ids[region]
            args["certificate"] = pulumi.Output.concat(
                *("projects/", project, "/locations/", region, "/certificates/"),
                certificate.certificate_name,
            )
        address = CloudRunLoadBalancer(self.name, args, self.foundation.google).address
        if balancer.kind == "internal":
            PrivateName(
                self.name,
                {
                    "project": project,
                    "hostname": balancer.hostname,
                    "addresses": {region: address},
                    "networks": [vpc.network_id],
                },
                self.foundation.google,
            )
        return Frontend(url, address, authority)

    def _certificate(self, hostname: str) -> PrivateCertificate:
        services = self.foundation.services
        return PrivateCertificate(
            self.name,
            {
                "project": services.project_for("privateca", "certificatemanager"),
                "region": self.settings.region,
                "domains": [hostname],
                "organization": self.platform.project.id,
                "service_agent_email": services.service_agents[CERTIFICATE_MANAGER],
                "deletion_protection": self.platform.deletion_protection,
            },
            self.foundation.google,
        )

    def api(self, api: ApiGateway) -> Frontend:
        apis = ("apigateway", "servicecontrol", "servicemanagement", "iam")
        made = CloudRunApi(
            self.name,
            {
                "project": self.foundation.services.project_for(*apis),
                "region": self.settings.region,
                "gateway_region": api.region or self.settings.region,
                "service_name": self.service.service_name,
                "service_uri": self.service.uri,
                "document": (config_folder() / (api.document or "")).read_text(),
                "callers": to_args(Callers, api),
                "timeout_seconds": self.settings.timeout_seconds,
            },
            self.foundation.google,
        )
        return Frontend(made.url)

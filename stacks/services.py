"""Services that answer requests: each a Cloud Run service, with what stands before it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from catalog.conventions import PLATFORM, dns_label
from components.serverless.cloud_run_arguments import CloudRunServiceArgs, Iap, Vpc
from components.serverless.cloud_run_service import CloudRunService
from components.service_accounts import account_id
from config.platform import Platform
from config.services import Service
from stacks.arguments import to_args
from stacks.data import Data
from stacks.foundation import Foundation
from stacks.frontends import Frontend, build_frontends
from stacks.gateway_access import GatewayAccess, network
from stacks.images import Images
from stacks.secrets import Secrets, secret_arguments, stored
from stacks.service_variables import log_requests, use_cache

Accounts = Mapping[str, pulumi.Output[str]]
"""Emails of the accounts that services run as, by service."""
IAP = "iap.googleapis.com"


@dataclass(frozen=True)
class Services:
    """The made services, and what stands before them."""

    services: Mapping[str, CloudRunService]
    frontends: Mapping[str, Frontend]


def build_services(
    platform: Platform,
    foundation: Foundation,
    gateway: GatewayAccess | None,
    images: Images,
    secrets: Secrets,
    data: Data,
    accounts: Accounts,
) -> Services:
    """Make every service of the config."""
    return _ServicesBuilder(platform, foundation, gateway, images, secrets, data, accounts).build()


def build_service_accounts(platform: Platform, foundation: Foundation) -> Accounts:
    """Make the account of every service, before what it is let in to."""
    return {
        name: gcp.serviceaccount.Account(
            f"{name}-run",
            project=foundation.services.project_for("iam"),
            account_id=account_id(name, "run"),
            display_name=f"Service {name}: runs the service",
            opts=foundation.google,
        ).email
        for name in platform.services
    }


@dataclass(frozen=True)
class _ServicesBuilder:
    platform: Platform
    foundation: Foundation
    gateway: GatewayAccess | None
    images: Images
    secrets: Secrets
    data: Data
    accounts: Accounts

    def build(self) -> Services:
        cache_authority = self._cache_authority()
        services = {
            name: self._service(name, settings, cache_authority)
            for name, settings in self.platform.services.items()
        }
        return Services(services, build_frontends(self.platform, self.foundation, services))

    def _cache_authority(self) -> pulumi.Output[str] | None:
        """Return the secret with the certificate that signs the cache's, where a service uses
        that."""
        if self.data.cache is None or not any(
            each.cache for each in self.platform.services.values()
        ):
            return None
        return stored(
            self.platform, self.foundation, f"{PLATFORM}-cache-ca", self.data.cache.ca_certificate
        )

    def _service(
        self, name: str, settings: Service, cache_authority: pulumi.Output[str] | None
    ) -> CloudRunService:
        apis = ["run", "secretmanager"]
        asks = settings.binary_authorization or self.platform.binary_authorization is not None
        if asks:
            apis.append("binaryauthorization")
        project = self.foundation.services.project_for(*apis)
        args = to_args(
            CloudRunServiceArgs,
            settings,
            project=project,
            image=self.images.reference(settings.image),
            service_account=self.accounts[name],
            invokers=_by_name(settings.invokers),
            environment={"GOOGLE_CLOUD_PROJECT": project, **settings.environment},
            ingress=settings.effective_ingress,
            custom_audiences=_audiences(settings),
            vpc=self._vpc(settings),
            iap=self._iap(settings),
            binary_authorization=asks,
            deletion_protection=self.platform.deletion_protection,
            **secret_arguments(settings, self.secrets),
        )
        if settings.models and self.gateway is not None:
            self.gateway.tell(name, args, settings.models)
        if settings.cache and self.data.cache is not None and cache_authority is not None:
            use_cache(args, self.data.cache, cache_authority)
        if settings.request_log is not None:
            log_requests(args, settings.request_log, self.data.warehouse)
        return CloudRunService(name, args, self.foundation.google)

    def _iap(self, settings: Service) -> Iap | None:
        if not settings.iap:
            return None
        agent = self.foundation.services.service_agents[IAP]
        return {"service_agent": agent, "members": _by_name(settings.iap)}

    def _vpc(self, settings: Service) -> Vpc | None:
        if settings.effective_egress == "none":
            return None
        return network(self.foundation, settings.region, settings.effective_egress)


def _audiences(settings: Service) -> Sequence[str]:
    """Return those given, and the address of the load balancer before it."""
    balancer = settings.load_balancer
    front = [] if balancer is None else [f"https://{balancer.hostname}"]
    return list(dict.fromkeys([*front, *settings.custom_audiences]))


def _by_name(members: Sequence[str]) -> Mapping[str, str]:
    return {dns_label(member): member for member in members}

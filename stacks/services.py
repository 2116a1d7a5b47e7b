"""Services that answer requests: each a Cloud Run service, with what stands before it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from catalog.conventions import PLATFORM, dns_label
from components.network.private_name import PrivateName
from components.ready import after
from components.serverless.cloud_run_arguments import CloudRunServiceArgs, Iap, Vpc
from components.serverless.cloud_run_service import CloudRunService
from components.service_accounts import account_id
from config.platform import Platform
from config.services import Service
from stacks.arguments import to_args
from stacks.data import Data
from stacks.foundation import Foundation
from stacks.frontends import Frontend, build_frontends
from stacks.images import Images
from stacks.inference import Region
from stacks.secrets import Secrets, make_secret, secret_arguments
from stacks.service_variables import ask_models, log_requests, show_key, use_cache

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
    regions: Mapping[str, Region],
    images: Images,
    secrets: Secrets,
    data: Data,
    accounts: Accounts,
) -> Services:
    """Make every service of the config."""
    return _ServicesBuilder(platform, foundation, regions, images, secrets, data, accounts).build()


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
class _Parts:
    """What services may be given, beside their own settings."""

    gateway: pulumi.Output[str] | None
    """Host name."""
    authorities: Mapping[str, pulumi.Output[str]]
    """By region, the secret with the certificate that signs the gateway's."""
    cache_authority: pulumi.Output[str] | None
    """The secret with the certificate that signs the cache's."""
    keys: Mapping[str, pulumi.Output[str]]
    """By service, the secret with the key that it shows the gateway."""


@dataclass(frozen=True)
class _ServicesBuilder:
    platform: Platform
    foundation: Foundation
    regions: Mapping[str, Region]
    images: Images
    secrets: Secrets
    data: Data
    accounts: Accounts

    def build(self) -> Services:
        parts = _Parts(
            gateway=self._gateway_name(),
            authorities=self._authorities(),
            cache_authority=self._cache_authority(),
            keys=self._keys(),
        )
        services = {
            name: self._service(name, settings, parts)
            for name, settings in self.platform.services.items()
        }
        return Services(services, build_frontends(self.platform, self.foundation, services))

    @property
    def _asking(self) -> Sequence[str]:
        """Regions with services that ask models."""
        asking = [each.region for each in self.platform.services.values() if each.models]
        return list(dict.fromkeys(asking))

    def _authorities(self) -> Mapping[str, pulumi.Output[str]]:
        """By region, the secret with the certificate that signs the gateway's."""
        certificates = {
            region: self.regions[region].certificate.ca_certificate_pem for region in self._asking
        }
        return {
            region: self._stored(f"{PLATFORM}-{region}-ca", certificate)
            for region, certificate in certificates.items()
            if certificate is not None
        }

    def _cache_authority(self) -> pulumi.Output[str] | None:
        """Return the secret with the certificate that signs the cache's, where a service uses
        that."""
        if self.data.cache is None or not any(
            each.cache for each in self.platform.services.values()
        ):
            return None
        return self._stored(f"{PLATFORM}-cache-ca", self.data.cache.ca_certificate)

    def _keys(self) -> Mapping[str, pulumi.Output[str]]:
        """By service that API management counts, the secret with its key."""
        return {
            name: self._stored(f"{PLATFORM}-{name}-key", self.regions[settings.region].keys[name])
            for name, settings in self.platform.services.items()
            if settings.models and self.platform.knows_by_key(name)
        }

    def _stored(self, name: str, value: pulumi.Output[str]) -> pulumi.Output[str]:
        """Return id of a secret with a value of the stack's own. Certificates are none, but files
        come into Cloud Run's containers from secrets alone."""
        secret = make_secret(self.platform, self.foundation, name)
        version = gcp.secretmanager.SecretVersion(
            name,
            secret=secret.id,
            secret_data_wo=value,
            # What is written but not kept can't be compared: the number tells of a change.
            secret_data_wo_version=value.apply(_fingerprint),
            opts=self.foundation.google,
        )
        return after(secret.secret_id, version.id)

    def _gateway_name(self) -> pulumi.Output[str] | None:
        """Return the gateway's host name, once it is known inside the platform's own network
        too."""
        if not self._asking:
            return None
        return PrivateName(
            f"{PLATFORM}-gateway",
            {
                "project": self.foundation.services.project_for("dns"),
                "hostname": self.platform.gateway.hostname,
                "addresses": {
                    region: self.regions[region].gateway.address for region in self._asking
                },
                "networks": [self.foundation.vpc.network_id],
            },
            self.foundation.google,
        ).hostname

    def _service(self, name: str, settings: Service, parts: _Parts) -> CloudRunService:
        apis = ["run", "secretmanager"]
        if settings.binary_authorization:
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
            deletion_protection=self.platform.deletion_protection,
            **secret_arguments(settings, self.secrets),
        )
        if settings.models and parts.gateway is not None:
            authority = parts.authorities.get(settings.region)
            ask_models(args, settings.models, parts.gateway, authority)
            if name in parts.keys:
                show_key(args, parts.keys[name])
        if settings.cache and self.data.cache is not None and parts.cache_authority is not None:
            use_cache(args, self.data.cache, parts.cache_authority)
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
        vpc = self.foundation.vpc
        return {
            "network": vpc.network_id,
            "subnetwork": self.foundation.node_subnetwork_ids[settings.region],
            "egress": settings.effective_egress,
        }


def _audiences(settings: Service) -> Sequence[str]:
    """Return those given, and the address of the load balancer before it."""
    balancer = settings.load_balancer
    front = [] if balancer is None else [f"https://{balancer.hostname}"]
    return list(dict.fromkeys([*front, *settings.custom_audiences]))


def _fingerprint(text: str) -> str:
    return str(int(hashlib.sha256(text.encode()).hexdigest()[:7], 16))


def _by_name(members: Sequence[str]) -> Mapping[str, str]:
    return {dns_label(member): member for member in members}

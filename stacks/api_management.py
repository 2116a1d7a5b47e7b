"""API management: Apigee or another service, as the first that sees requests of a gateway."""

from dataclasses import dataclass

import pulumi

from components.api_management.apigee_api import ApiConsumer, ApigeeApi, ApigeeApiArgs
from components.api_management.apigee_backend import ApigeeBackend
from components.api_management.apigee_operator_access import ApigeeOperatorAccess
from components.api_management.apigee_organization import (
    ApigeeOrganization,
    ApigeeOrganizationArgs,
)
from components.inference.extensions import Extension
from components.ready import after
from config.api_management import NEW, Apigee
from config.api_management import ApiConsumer as ConsumerLimits
from config.platform import Platform
from stacks.clusters import RegionCluster
from stacks.foundation import PLATFORM, Foundation


@dataclass(frozen=True)
class ManagedApi:
    """The gateway's API in Apigee."""

    organization: pulumi.Output[str]
    environment: pulumi.Output[str]
    proxy: pulumi.Output[str]


def build_managed_api(platform: Platform, foundation: Foundation) -> ManagedApi | None:
    """Put the API of all regions into Apigee; None without Apigee."""
    management = platform.api_management
    if management is None or management.apigee is None:
        return None
    apigee = management.apigee
    project = foundation.services.project_for("apigee")
    if apigee.organization == NEW:
        made = ApigeeOrganization(
            PLATFORM, _organization(platform, apigee, project), foundation.google
        )
        organization, environment = made.organization, made.environment
    else:
        # The API must be on before anything is asked of it.
        organization = after(apigee.organization, project)
        environment = after(apigee.environment, project)
    args: ApigeeApiArgs = {
        "organization": organization,
        "environment": environment,
        "hostname": platform.gateway.hostname,
        "consumers": {name: _limits(each) for name, each in apigee.consumers.items()},
    }
    if apigee.jwt is not None:
        args["jwt"] = {
            "issuer": apigee.jwt.issuer,
            "audience": apigee.jwt.audience,
            "jwks_uri": apigee.jwt.jwks_uri,
            "client_claim": apigee.jwt.client_claim,
        }
    return ManagedApi(organization, environment, ApigeeApi(PLATFORM, args, foundation.google).proxy)


def build_apigee_extension(
    platform: Platform, foundation: Foundation, api: ManagedApi, cluster: RegionCluster
) -> Extension | None:
    """Connect a region's gateway to Apigee; None without Apigee."""
    management = platform.api_management
    if management is None or management.apigee is None:
        return None
    region, vpc = cluster.region, foundation.vpc
    access = ApigeeOperatorAccess(
        cluster.name,
        {
            "project": foundation.services.project_for("iam", "compute", "networkservices"),
            "organization": api.organization,
            "workload_pool": cluster.gke.workload_pool,
            "google_roles": management.apigee.google_roles,
        },
        cluster.options,
    )
    return ApigeeBackend(
        cluster.name,
        {
            "project": platform.project.id,
            "region": region,
            "namespace": cluster.namespace,
            "network": vpc.network_id,
            "subnetwork": vpc.node_subnetwork_ids[region],
            "organization": api.organization,
            "environment": api.environment,
            "proxy": api.proxy,
            "service_account": access.service_account,
            "fail_open": management.fail_open,
            "timeout_seconds": management.timeout_seconds,
        },
        cluster.options,
    ).extension


def _organization(
    platform: Platform, apigee: Apigee, project: pulumi.Output[str]
) -> ApigeeOrganizationArgs:
    args: ApigeeOrganizationArgs = {
        "project": project,
        "regions": list(platform.regions),
        "environment": apigee.environment,
        "deletion_protection": platform.deletion_protection,
    }
    if apigee.analytics_region is not None:
        args["analytics_region"] = apigee.analytics_region
    return args


def _limits(limits: ConsumerLimits) -> ApiConsumer:
    args: ApiConsumer = {}
    if limits.requests_per_minute is not None:
        args["requests_per_minute"] = limits.requests_per_minute
    if limits.quota is not None:
        args["quota"] = {"requests": limits.quota.requests, "per": limits.quota.per}
    if limits.client_id is not None:
        args["client_id"] = limits.client_id
    return args

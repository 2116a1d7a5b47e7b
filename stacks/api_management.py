"""API management: Apigee or another service, as the first that sees requests of a gateway."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from catalog.conventions import PLATFORM
from catalog.limits.api_management import NEW
from components.api_management.apigee_api import ApigeeApi, ApigeeApiArgs
from components.api_management.apigee_backend import ApigeeBackend, ApigeeBackendArgs
from components.api_management.apigee_operator_access import ApigeeOperatorAccess
from components.api_management.apigee_organization import (
    ApigeeOrganization,
    ApigeeOrganizationArgs,
)
from components.inference.extensions import Extension
from components.ready import after
from config.platform import Platform
from stacks.arguments import to_args
from stacks.clusters import RegionCluster
from stacks.foundation import Foundation


@dataclass(frozen=True)
class ManagedApi:
    """The gateway's API in Apigee."""

    organization: pulumi.Output[str]
    environment: pulumi.Output[str]
    proxy: pulumi.Output[str]
    keys: Mapping[str, pulumi.Output[str]]
    """By consumer."""


def build_managed_api(platform: Platform, foundation: Foundation) -> ManagedApi | None:
    """Put the API of all regions into Apigee; None without Apigee."""
    management = platform.api_management
    if management is None or management.apigee is None:
        return None
    apigee = management.apigee
    project = foundation.services.project_for("apigee")
    if apigee.organization == NEW:
        made = ApigeeOrganization(
            PLATFORM,
            to_args(
                ApigeeOrganizationArgs,
                apigee,
                project=project,
                regions=list(platform.regions),
                deletion_protection=platform.deletion_protection,
            ),
            foundation.google,
        )
        organization, environment = made.organization, made.environment
    else:
        # The API must be on before anything is asked of it.
        organization = after(apigee.organization, project)
        environment = after(apigee.environment, project)
    args = to_args(
        ApigeeApiArgs,
        apigee,
        organization=organization,
        environment=environment,
        hostname=platform.gateway.hostname,
    )
    api = ApigeeApi(PLATFORM, args, foundation.google)
    return ManagedApi(organization, environment, api.proxy, api.keys)


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
        to_args(
            ApigeeBackendArgs,
            management,
            project=platform.project.id,
            region=region,
            namespace=cluster.namespace,
            network=vpc.network_id,
            subnetwork=foundation.node_subnetwork_ids[region],
            organization=api.organization,
            environment=api.environment,
            proxy=api.proxy,
            service_account=access.service_account,
        ),
        cluster.options,
    ).extension

"""The network: made, or there already and checked, with who of Google's agents may use it."""

from collections.abc import Mapping

import pulumi
import pulumi_gcp as gcp

from catalog import ports
from catalog.conventions import PLATFORM
from components.inference import envoy_bootstrap
from components.network.shared_vpc_access import (
    SharedSubnetwork,
    SharedVpcAccess,
    SharedVpcAccessArgs,
)
from components.network.vpc import SubnetRanges, Vpc, VpcArgs
from components.project.services import ProjectServices
from config.network import Region
from config.platform import Platform
from stacks.arguments import to_args

_GKE = "container.googleapis.com"
_RUN = "run.googleapis.com"
_DATAFLOW = "dataflow.googleapis.com"


def build_network(platform: Platform, provider: gcp.Provider, services: ProjectServices) -> Vpc:
    """Make what of the network isn't there."""
    network = platform.network
    args: VpcArgs = {
        "project": platform.host_project or services.project_for("compute", "dns"),
        "subnets": {
            name: _subnets(network.project, name, region)
            for name, region in platform.regions.items()
        },
        "backend_ports": _backend_ports(platform),
        "restricted_google_apis": platform.perimeter is not None
        and network.google_apis_zone is None,
        "deletion_protection": platform.deletion_protection,
    }
    if network.existing is not None:
        args["network"] = network.existing
    return Vpc(PLATFORM, args, pulumi.ResourceOptions(provider=provider))


def usable_subnetworks(
    platform: Platform, services: ProjectServices, vpc: Vpc, options: pulumi.ResourceOptions
) -> Mapping[str, pulumi.Output[str]]:
    """Return the nodes' subnetworks by region, once those who use them may do so."""
    if platform.host_project is None:
        return vpc.node_subnetwork_ids
    users = {region: _users(platform, services, region) for region in vpc.node_subnetwork_ids}
    shared: Mapping[str, SharedSubnetwork] = {
        region: {"id": id_, "users": users[region]}
        for region, id_ in vpc.node_subnetwork_ids.items()
        if users[region]
    }
    if not shared:
        return vpc.node_subnetwork_ids
    args: SharedVpcAccessArgs = {"project": vpc.project, "subnetworks": shared}
    if not any(each.existing.cluster for each in platform.regions.values()):
        args["cluster_agent"] = services.service_agents[_GKE]
    access = SharedVpcAccess(PLATFORM, args, options)
    return {**vpc.node_subnetwork_ids, **access.subnetwork_ids}


def _users(
    platform: Platform, services: ProjectServices, region: str
) -> Mapping[str, pulumi.Output[str]]:
    """Return Google's agents that use a region's subnet.

    For a cluster that is there they may do so already: a grant of the same would go with the stack,
    and take the cluster's along.
    """
    pipelines = [each for each in platform.pipelines.values() if each.region == region]
    users: dict[str, pulumi.Output[str]] = {}
    if platform.regions[region].existing.cluster is None:
        users["gke"] = services.service_agents[_GKE]
        # Instance groups of nodes are made by the project's agent for all of Google's APIs.
        users["google"] = pulumi.Output.concat(
            services.project_number, "@cloudservices.gserviceaccount.com"
        )
    beside = (*platform.services.values(), *platform.batch_inference.values())
    if pipelines or any(each.region == region for each in beside):
        users["run"] = services.service_agents[_RUN]
    if any(each.dataflow for each in pipelines):
        users["dataflow"] = services.service_agents[_DATAFLOW]
    return users


def _subnets(project: str | None, name: str, region: Region) -> SubnetRanges:
    there = region.existing
    args = to_args(
        SubnetRanges, region, nat=there.nat is None, load_balancer_rule=not there.load_balancer_rule
    )
    parent = f"projects/{project}/regions/{name}/subnetworks"
    if there.subnetwork:
        args["nodes_subnetwork"] = f"{parent}/{there.subnetwork}"
        args["pods_range"] = there.pods_range
    if there.proxy_only:
        args["proxy_only_subnetwork"] = f"{parent}/{there.proxy_only}"
    if there.psc_nat:
        args["psc_nat_subnetwork"] = f"{parent}/{there.psc_nat}"
    return args


def _backend_ports(platform: Platform) -> list[int]:
    """Return the ports of pods that load balancers connect to."""
    found = {*ports.BACKENDS}
    for callout in platform.callouts:
        found |= {callout.port, callout.health_port or callout.port}
    if any(model.external for model in platform.models.values()):
        found.add(envoy_bootstrap.PORT)
    return sorted(found)

"""Teams: a namespace for each in every cluster, and the way to it for its members."""

from collections.abc import Mapping

import pulumi
import pulumi_gcp as gcp

from catalog.conventions import PLATFORM, dns_label, team_namespace
from components.inference.team_namespace import TeamNamespace, TeamNamespaceArgs
from components.network.vpc import HEALTH_CHECK_RANGES
from config.platform import Platform
from stacks.arguments import to_args
from stacks.foundation import Foundation

# Reaches the control planes and reads what clusters there are; in them it may do nothing.
_REACHES_CLUSTERS = "roles/container.clusterViewer"


def build_access(platform: Platform, foundation: Foundation) -> None:
    """Let the members of teams reach clusters, in which Kubernetes' roles say what they may do."""
    everybody = (member for team in platform.teams.values() for member in team.members)
    for member in dict.fromkeys(everybody):
        gcp.projects.IAMMember(
            f"team-{dns_label(member)}",
            project=foundation.services.project_for("container"),
            role=_REACHES_CLUSTERS,
            member=member,
            opts=foundation.google,
        )


def build_namespaces(
    platform: Platform, region: str, options: pulumi.ResourceOptions
) -> Mapping[str, pulumi.Output[str]]:
    """Make the namespaces of teams in a region's cluster; by their names."""
    proxies = platform.regions[region].proxy_only
    return {
        team_namespace(name): TeamNamespace(
            f"{PLATFORM}-{region}-{name}",
            to_args(
                TeamNamespaceArgs,
                team,
                namespace=team_namespace(name),
                team=name,
                load_balancer_ranges=[*HEALTH_CHECK_RANGES, proxies],
            ),
            options,
        ).namespace
        for name, team in platform.teams.items()
    }

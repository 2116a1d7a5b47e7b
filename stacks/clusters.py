"""The cluster of each region, with what everything in it needs: images, namespace, provider."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from catalog.conventions import PLATFORM
from components.cluster.existing_gke_cluster import ExistingGkeCluster, ExistingGkeClusterArgs
from components.cluster.gke_cluster import GkeCluster
from components.cluster.gke_cluster_arguments import GkeClusterArgs
from components.cluster.image_mirror import DEFAULT_UPSTREAMS, ImageMirror, Upstream
from components.inference.pods import RESTRICTED
from components.network.perimeter_arguments import ENFORCED
from components.ready import after
from config.platform import Platform
from stacks.arguments import to_args
from stacks.foundation import Foundation
from stacks.images import Images
from stacks.own_nodes import on_nodes
from stacks.teams import build_namespaces

GOOGLE_REGISTRY: Upstream = {"host": "gcr.io", "uri": "https://gcr.io"}


@dataclass(frozen=True)
class RegionCluster:
    """A cluster that was made or is there."""

    region: str
    gke: GkeCluster | ExistingGkeCluster
    images: ImageMirror
    namespaces: Mapping[str, pulumi.Output[str]]
    """Of models, by their names: the platform's, and those of teams."""
    options: pulumi.ResourceOptions
    """Of a component that makes objects in it."""

    @property
    def namespace(self) -> pulumi.Output[str]:
        """Of the gateway, and of what belongs to no team."""
        return self.namespaces[PLATFORM]

    @property
    def name(self) -> str:
        """First part of the names of what the region has once."""
        return _name(self.region)


def build_cluster(
    platform: Platform,
    foundation: Foundation,
    images: Images,
    region: str,
    perimeter: pulumi.Output[str] | None,
) -> RegionCluster:
    """Make the region's cluster, or nodes in the one that is there, its mirror of images and its
    namespaces."""
    name = _name(region)
    gke = _gke(platform, foundation, images, region)
    provider = kubernetes.Provider(name, kubeconfig=gke.kubeconfig, enable_server_side_apply=True)
    namespace = kubernetes.core.v1.Namespace(
        name,
        metadata={
            "name": PLATFORM,
            "labels": RESTRICTED,
        },
        opts=pulumi.ResourceOptions(provider=provider),
    )
    options = pulumi.ResourceOptions(
        providers=[foundation.provider, provider],
        transformations=[on_nodes(gke.node_selector)]
        if isinstance(gke, ExistingGkeCluster)
        else None,
    )
    return RegionCluster(
        region,
        gke,
        _images(platform, foundation, region, perimeter, gke),
        {PLATFORM: namespace.metadata.name, **build_namespaces(platform, region, options)},
        options,
    )


def _gke(
    platform: Platform, foundation: Foundation, images: Images, region: str
) -> GkeCluster | ExistingGkeCluster:
    there = platform.regions[region].existing
    project = foundation.services.project_for("container", "iam")
    if there.cluster is not None:
        args = to_args(
            ExistingGkeClusterArgs,
            platform.cluster,
            project=project,
            region=region,
            cluster=there.cluster,
            dns_endpoint=foundation.dns_endpoints[region],
            image_repositories=images.of_clusters(),
        )
        return ExistingGkeCluster(_name(region), args, foundation.google)
    args = to_args(
        GkeClusterArgs,
        platform.cluster,
        project=project,
        region=region,
        network=foundation.vpc.network_id,
        subnetwork=foundation.node_subnetwork_ids[region],
        pods_range=there.pods_range,
        services_range=there.services_range,
        image_repositories=images.of_clusters(),
        binary_authorization=platform.cluster_asks_admission,
        deletion_protection=platform.deletion_protection,
    )
    return GkeCluster(_name(region), args, foundation.google)


def _images(
    platform: Platform,
    foundation: Foundation,
    region: str,
    perimeter: pulumi.Output[str] | None,
    gke: GkeCluster | ExistingGkeCluster,
) -> ImageMirror:
    enforced = platform.perimeter is not None and platform.perimeter.mode == ENFORCED
    project = foundation.services.project_for("artifactregistry")
    if enforced and perimeter is not None:
        # Fetching through a perimeter can only be allowed once the project is inside one.
        project = after(project, perimeter)
    upstreams = dict(DEFAULT_UPSTREAMS)
    if platform.autoscales_in(region):
        upstreams["google"] = GOOGLE_REGISTRY
    return ImageMirror(
        _name(region),
        {
            "project": project,
            "region": region,
            "upstreams": upstreams,
            "readers": {"nodes": gke.node_service_account},
            "vpc_service_controls": enforced,
        },
        foundation.google,
    )


def _name(region: str) -> str:
    return f"{PLATFORM}-{region}"

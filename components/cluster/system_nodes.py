"""The nodes of the platform itself: the account that all nodes of it run as, and a pool."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import clusters as limits
from components.cluster import defaults
from components.cluster.gke_cluster_arguments import SystemPool
from components.service_accounts import account_id


class SystemNodesArgs(TypedDict):
    """What a cluster, made or there already, says of the platform's own nodes."""

    project: pulumi.Input[str]
    region: str
    image_repositories: NotRequired[Mapping[str, pulumi.Input[str]]]
    system_pool: NotRequired[SystemPool]


def node_account(
    prefix: str, args: SystemNodesArgs, child: pulumi.ResourceOptions
) -> tuple[gcp.serviceaccount.Account, Sequence[pulumi.CustomResource]]:
    """Make the account of a cluster's nodes; return it with its grants."""
    account = gcp.serviceaccount.Account(
        f"{prefix}-nodes",
        project=args["project"],
        account_id=account_id(prefix, "nodes"),
        display_name=f"Nodes of GKE cluster {prefix}",
        opts=child,
    )
    grants: list[pulumi.CustomResource] = [
        gcp.projects.IAMMember(
            f"{prefix}-nodes-default",
            project=args["project"],
            role="roles/container.defaultNodeServiceAccount",
            member=account.member,
            opts=child,
        )
    ]
    grants += [
        gcp.artifactregistry.RepositoryIamMember(
            f"{prefix}-nodes-pull-{key}",
            repository=repository,
            role="roles/artifactregistry.reader",
            member=account.member,
            opts=child,
        )
        for key, repository in args.get("image_repositories", {}).items()
    ]
    return account, grants


def system_pool(
    prefix: str,
    name: str,
    args: SystemNodesArgs,
    cluster: pulumi.Input[str],
    account: gcp.serviceaccount.Account,
    options: pulumi.ResourceOptions,
) -> gcp.container.NodePool:
    """Make the pool `name` of a cluster, of nodes without GPUs."""
    pool = args.get("system_pool", {})
    return gcp.container.NodePool(
        f"{prefix}-system",
        name=name,
        project=args["project"],
        location=args["region"],
        cluster=cluster,
        initial_node_count=1,
        autoscaling={
            "total_min_node_count": pool.get("min_nodes", limits.SYSTEM_MIN_NODES.default),
            "total_max_node_count": pool.get("max_nodes", limits.SYSTEM_MAX_NODES.default),
            "location_policy": "BALANCED",
        },
        management={"auto_repair": True, "auto_upgrade": True},
        upgrade_settings={"strategy": "SURGE", "max_surge": 1, "max_unavailable": 0},
        network_config={"enable_private_nodes": True},
        node_config={
            "machine_type": pool.get("machine_type", limits.SYSTEM_MACHINE_TYPE.default),
            "image_type": "COS_CONTAINERD",
            "disk_size_gb": pool.get("disk_gib", limits.SYSTEM_DISK_GIB.default),
            "disk_type": "pd-balanced",
            "service_account": account.email,
            "oauth_scopes": defaults.OAUTH_SCOPES,
            "gcfs_config": {"enabled": True},
            "gvnic": {"enabled": True},
            "shielded_instance_config": {
                "enable_integrity_monitoring": True,
                "enable_secure_boot": True,
            },
            "workload_metadata_config": {"mode": "GKE_METADATA"},
        },
        opts=pulumi.ResourceOptions.merge(
            options,
            pulumi.ResourceOptions(
                delete_before_replace=True,
                # The autoscaler moves it, and a change would replace the pool.
                ignore_changes=["initialNodeCount"],
            ),
        ),
    )

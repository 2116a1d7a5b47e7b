"""GkeCluster: a private, regional GKE Standard cluster with the nodes the platform itself needs.

Owns the cluster, its system node pool, the nodes' service account and the grants of that account.
Does not own the network, the GPU node pools (GpuNodePool) nor anything inside the cluster.
"""

import pulumi
import pulumi_gcp as gcp

from catalog.limits import clusters as limits
from catalog.releases import GKE_MINIMUM_VERSION
from components.cluster import defaults, kubeconfig
from components.cluster.gke_cluster_arguments import (
    WEEKEND_NIGHTS,
    GkeClusterArgs,
    validate_gke_cluster,
)
from components.ready import after
from components.service_accounts import account_id
from components.validation import component_type, register

# The cloud takes a whole version only as long as it is on offer, a minor one as its newest patch.
MINIMUM_MINOR_VERSION = ".".join(GKE_MINIMUM_VERSION.split(".")[:2])


class GkeCluster(pulumi.ComponentResource):
    """A regional GKE Standard cluster for inference, with its system node pool.

    Private nodes, Dataplane V2, workload identity, Gateway API, managed Prometheus, Secret Manager
    add-on. The control plane is reached by its DNS endpoint, where IAM decides; it has no other
    address. Nodes run as a service account of their own that may write logs and metrics and pull
    from the given repositories, nothing else. Physical names come from the component's name.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/kubernetes-engine/docs/how-to/hardening-your-cluster
    https://cloud.google.com/kubernetes-engine/docs/how-to/dns-based-endpoint
    """

    cluster_name: pulumi.Output[str]
    cluster_id: pulumi.Output[str]
    location: pulumi.Output[str]
    workload_pool: pulumi.Output[str]
    """`<project>.svc.id.goog`"""
    node_service_account: pulumi.Output[str]
    """Email; usable for nodes, as it waits for the account's grants."""
    kubeconfig: pulumi.Output[str]
    """Without secrets; needs gke-gcloud-auth-plugin. Waits for the system nodes."""

    def __init__(
        self, name: str, args: GkeClusterArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(GkeCluster), name, {}, opts)
        validate_gke_cluster(name, args).raise_if_any(f"GkeCluster {name}")
        self._prefix = name
        self._args = args

        account, grants = self._node_account()
        cluster = self._cluster(account, grants)
        system_pool = self._system_pool(cluster, account)

        self.cluster_name = cluster.name
        self.cluster_id = cluster.id
        self.location = cluster.location
        # A project has no pool before its first cluster, and refuses grants to it.
        self.workload_pool = after(
            pulumi.Output.format("{0}.svc.id.goog", args["project"]), cluster.id
        )
        self.node_service_account = after(account.email, *[grant.id for grant in grants])
        dns_endpoint = cluster.control_plane_endpoints_config.dns_endpoint_config.endpoint
        # Webhooks of GKE's own add-ons run on the system nodes: objects made before would fail.
        self.kubeconfig = pulumi.Output.all(cluster.name, dns_endpoint, system_pool.id).apply(
            lambda values: kubeconfig.render(values[0], values[1])
        )
        register(self)

    def _node_account(self) -> tuple[gcp.serviceaccount.Account, list[pulumi.CustomResource]]:
        child = pulumi.ResourceOptions(parent=self)
        account = gcp.serviceaccount.Account(
            f"{self._prefix}-nodes",
            project=self._args["project"],
            account_id=account_id(self._prefix, "nodes"),
            display_name=f"Nodes of GKE cluster {self._prefix}",
            opts=child,
        )
        grants: list[pulumi.CustomResource] = [
            gcp.projects.IAMMember(
                f"{self._prefix}-nodes-default",
                project=self._args["project"],
                role="roles/container.defaultNodeServiceAccount",
                member=account.member,
                opts=child,
            )
        ]
        grants += [
            gcp.artifactregistry.RepositoryIamMember(
                f"{self._prefix}-nodes-pull-{key}",
                repository=repository,
                role="roles/artifactregistry.reader",
                member=account.member,
                opts=child,
            )
            for key, repository in self._args.get("image_repositories", {}).items()
        ]
        return account, grants

    def _cluster(
        self, account: gcp.serviceaccount.Account, grants: list[pulumi.CustomResource]
    ) -> gcp.container.Cluster:
        args = self._args
        deletion_protection = args.get("deletion_protection", True)
        window = args.get("maintenance_window", WEEKEND_NIGHTS)
        return gcp.container.Cluster(
            f"{self._prefix}-cluster",
            name=self._prefix,
            project=args["project"],
            location=args["region"],
            deletion_protection=deletion_protection,
            min_master_version=args.get("minimum_version", MINIMUM_MINOR_VERSION),
            release_channel={
                "channel": args.get("release_channel", limits.RELEASE_CHANNEL.default)
            },
            maintenance_policy={"recurring_window": {**window}},
            network=args["network"],
            subnetwork=args["subnetwork"],
            networking_mode="VPC_NATIVE",
            ip_allocation_policy={
                "cluster_secondary_range_name": args["pods_range"],
                "services_secondary_range_name": args["services_range"],
            },
            private_cluster_config={"enable_private_nodes": True},
            control_plane_endpoints_config=defaults.CONTROL_PLANE_ENDPOINTS,
            datapath_provider="ADVANCED_DATAPATH",
            dns_config={"cluster_dns": "CLOUD_DNS", "cluster_dns_scope": "CLUSTER_SCOPE"},
            gateway_api_config={"channel": "CHANNEL_STANDARD"},
            addons_config=defaults.ADDONS,
            secret_manager_config={"enabled": True},
            workload_identity_config={
                "workload_pool": pulumi.Output.format("{0}.svc.id.goog", args["project"]),
            },
            enable_shielded_nodes=True,
            anonymous_authentication_config={"mode": "LIMITED"},
            rbac_binding_config=defaults.RBAC_BINDINGS,
            security_posture_config=defaults.SECURITY_POSTURE,
            binary_authorization={
                "evaluation_mode": "PROJECT_SINGLETON_POLICY_ENFORCE"
                if args.get("binary_authorization", False)
                else "DISABLED",
            },
            logging_config=defaults.LOGGING,
            monitoring_config=defaults.MONITORING,
            cost_management_config={"enabled": True},
            # Idle GPU nodes are the platform's largest cost: this profile removes them soonest.
            cluster_autoscaling={"enabled": False, "autoscaling_profile": "OPTIMIZE_UTILIZATION"},
            pod_autoscaling={"hpa_profile": "PERFORMANCE"},
            node_pool_defaults=defaults.NODE_DEFAULTS,
            # GKE makes no cluster without a pool: this one lives for some minutes only.
            remove_default_node_pool=True,
            initial_node_count=1,
            node_config={
                "machine_type": "e2-standard-2",
                "disk_size_gb": 50,
                "service_account": account.email,
                "oauth_scopes": defaults.OAUTH_SCOPES,
                "shielded_instance_config": {
                    "enable_integrity_monitoring": True,
                    "enable_secure_boot": True,
                },
                "workload_metadata_config": {"mode": "GKE_METADATA"},
            },
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=deletion_protection or None,
                depends_on=grants,
                delete_before_replace=True,
                # Once the default pool is gone the API reports another pool's, or none, and the
                # difference would replace the cluster:
                # https://github.com/hashicorp/terraform-provider-google/issues/17511
                ignore_changes=["nodeConfig", "initialNodeCount"],
            ),
        )

    def _system_pool(
        self, cluster: gcp.container.Cluster, account: gcp.serviceaccount.Account
    ) -> gcp.container.NodePool:
        pool = self._args.get("system_pool", {})
        return gcp.container.NodePool(
            f"{self._prefix}-system",
            name="system",
            project=self._args["project"],
            location=self._args["region"],
            cluster=cluster.name,
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
            opts=pulumi.ResourceOptions(
                parent=self,
                delete_before_replace=True,
                # The autoscaler moves it, and a change would replace the pool.
                ignore_changes=["initialNodeCount"],
            ),
        )

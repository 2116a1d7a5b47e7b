"""GkeCluster: a private, regional GKE Standard cluster with the nodes the platform itself needs.

Owns the cluster, its system node pool, the nodes' service account and the grants of that account.
Does not own the network, the GPU node pools (GpuNodePool) nor anything inside the cluster.
"""

from collections.abc import Sequence

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
from components.cluster.system_nodes import node_account, system_pool
from components.ready import after
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

        child = pulumi.ResourceOptions(parent=self)
        account, grants = node_account(name, args, child)
        cluster = self._cluster(account, grants)
        pool = system_pool(name, "system", args, cluster.name, account, child)

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
        self.kubeconfig = pulumi.Output.all(cluster.name, dns_endpoint, pool.id).apply(
            lambda values: kubeconfig.render(values[0], values[1])
        )
        register(self)

    def _cluster(
        self, account: gcp.serviceaccount.Account, grants: Sequence[pulumi.CustomResource]
    ) -> gcp.container.Cluster:
        args = self._args
        deletion_protection = args.get("deletion_protection", True)
        window = args.get("maintenance_window", WEEKEND_NIGHTS)
        groups: gcp.container.ClusterAuthenticatorGroupsConfigArgsDict | None = (
            {"security_group": args["security_group"]} if "security_group" in args else None
        )
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
            authenticator_groups_config=groups,
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

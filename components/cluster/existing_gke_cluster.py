"""ExistingGkeCluster: the platform's own nodes in a GKE cluster that others made.

Owns a node pool, its nodes' service account and the grants of that account. Does not own the
cluster, the GPU node pools (GpuNodePool) nor anything inside the cluster.
"""

from collections.abc import Mapping
from typing import Annotated, NotRequired, TypedDict

import pulumi

from catalog.conventions import NODE_POOL_LABEL
from components.cluster import defaults, kubeconfig
from components.cluster.gke_cluster_arguments import REGION, SystemPool
from components.cluster.system_nodes import node_account, system_pool
from components.ready import after
from components.validation import Problems, component_type, register


class ExistingGkeClusterArgs(TypedDict):
    """Arguments of ExistingGkeCluster."""

    project: pulumi.Input[str]
    """Id of the cluster's project, its container API enabled."""
    region: Annotated[str, REGION]
    """Region of the cluster, such as `us-central1`."""
    cluster: pulumi.Input[str]
    """Name of the cluster: Standard, with the Gateway API and Workload Identity Federation of its
    project."""
    dns_endpoint: pulumi.Input[str]
    """Host name of its control plane, which traffic from outside reaches."""
    image_repositories: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Artifact Registry repositories the nodes pull from: by any short name, the full id
    `projects/<project>/locations/<location>/repositories/<repository>`."""
    system_pool: NotRequired[SystemPool]
    """The nodes of the platform itself."""


def validate_existing_gke_cluster(name: str, args: ExistingGkeClusterArgs) -> Problems:
    """Check the plain values of the arguments, and that the names made from them are allowed."""
    problems = Problems.of(ExistingGkeClusterArgs, args)
    defaults.check_gke_name(problems, _pool_name(name))
    return problems


class ExistingGkeCluster(pulumi.ComponentResource):
    """The platform's own nodes in a regional GKE Standard cluster that others made.

    The cluster stays as it is. Its other nodes run as accounts of others, which may not pull the
    platform's images: pods go to these nodes, or to those of a GpuNodePool, by their selector. The
    nodes run as a service account of their own, as those of GkeCluster do, and its outputs are
    the same. Physical names come from the component's name.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/kubernetes-engine/docs/how-to/dns-based-endpoint
    """

    cluster_name: pulumi.Output[str]
    """Waits for the nodes."""
    location: pulumi.Output[str]
    workload_pool: pulumi.Output[str]
    """`<project>.svc.id.goog`"""
    node_service_account: pulumi.Output[str]
    """Email; usable for nodes, as it waits for the account's grants."""
    kubeconfig: pulumi.Output[str]
    """Without secrets; needs gke-gcloud-auth-plugin. Waits for the nodes."""
    node_selector: Mapping[str, str]
    """Puts a pod on these nodes."""

    def __init__(
        self, name: str, args: ExistingGkeClusterArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(ExistingGkeCluster), name, {}, opts)
        validate_existing_gke_cluster(name, args).raise_if_any(f"ExistingGkeCluster {name}")
        child = pulumi.ResourceOptions(parent=self)
        account, grants = node_account(name, args, child)
        # Others may have a pool named system.
        pool = system_pool(
            name,
            _pool_name(name),
            args,
            args["cluster"],
            account,
            pulumi.ResourceOptions(parent=self, depends_on=grants),
        )
        self.cluster_name = after(args["cluster"], pool.id)
        self.location = pulumi.Output.from_input(args["region"])
        self.workload_pool = pulumi.Output.format("{0}.svc.id.goog", args["project"])
        self.node_service_account = after(account.email, *[grant.id for grant in grants])
        self.kubeconfig = pulumi.Output.all(args["cluster"], args["dns_endpoint"], pool.id).apply(
            lambda values: kubeconfig.render(values[0], values[1])
        )
        self.node_selector = {NODE_POOL_LABEL: _pool_name(name)}
        register(self)


def _pool_name(name: str) -> str:
    return f"{name}-system"

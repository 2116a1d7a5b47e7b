"""GpuNodePool: nodes of a GKE cluster with GPUs or TPUs, bought in one way.

Owns the node pool, or those of its slices of TPUs. Does not own the cluster, the nodes' service
account nor the pods.
"""

from collections.abc import Mapping

import pulumi
import pulumi_gcp as gcp

from catalog.conventions import (
    COMPUTE_CLASS_LABEL,
    NODE_POOL_LABEL,
    TPU_LABEL,
    TPU_TOPOLOGY_LABEL,
)
from catalog.limits import gpu_pools as limits
from catalog.machines import GPU_MACHINE_TYPES
from components.cluster import defaults
from components.cluster.gpu_node_pool_arguments import (
    DRIVER_VERSIONS,
    GpuNodePoolArgs,
    validate_gpu_node_pool,
    zones_of,
)
from components.validation import component_type, register

# Found in every zone that sells them, most days. Other GPUs are taken where there are any.
_PLENTIFUL_GPUS = frozenset({"nvidia-l4"})

RDMA_LABEL = {"cloud.google.com/gke-networking-dra-driver": "true"}
"""Where GKE runs the driver that hands interfaces to pods."""


SLICES_LABEL = "tpu-slices"
"""Label of the nodes of all slices of one pool, with its name."""


class GpuNodePool(pulumi.ComponentResource):
    """An autoscaled GKE node pool of one GPU machine type and capacity.

    Capacity is on-demand, spot, flex-start (Dynamic Workload Scheduler: nodes start when the GPUs
    are there, and live up to seven days) or a reservation. GKE installs the driver and keeps pods
    without GPU requests off the nodes. Upgrades take nodes down one by one rather than asking for
    further GPUs. The pool's name is the component's.

    Of TPUs with a `topology` of several nodes, each slice is a node pool of its own: GKE makes and
    removes it as a whole, and only within one are the chips connected. Further ones have the name
    with `-2`, `-3` and so on.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/kubernetes-engine/docs/how-to/gpus
    https://cloud.google.com/kubernetes-engine/docs/concepts/dws
    https://cloud.google.com/kubernetes-engine/docs/how-to/tpus
    """

    node_pool_name: pulumi.Output[str]
    """Of the first, where there are several."""
    gpu_type: str
    """GKE accelerator name, such as `nvidia-l4`."""
    gpu_count: int
    """GPUs of one node, whole ones, or chips of TPUs."""
    node_selector: Mapping[str, str]
    """Puts a pod on these nodes."""

    def __init__(
        self, name: str, args: GpuNodePoolArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(GpuNodePool), name, {}, opts)
        validate_gpu_node_pool(name, args).raise_if_any(f"GpuNodePool {name}")
        machine = GPU_MACHINE_TYPES[args["machine_type"]]
        capacity = args["capacity"]
        flex_start = capacity == "flex-start"
        # GKE gives flex-start pools a strategy of their own, which the provider does not know:
        # https://github.com/crossplane-contrib/provider-upjet-gcp/issues/1028
        upgrade: gcp.container.NodePoolUpgradeSettingsArgsDict | None = (
            None if flex_start else {"strategy": "SURGE", "max_surge": 0, "max_unavailable": 1}
        )
        nodes = limits.slice_nodes(args)
        # One pool takes all nodes, unless each slice has to be one.
        slices = args["max_nodes"] // nodes if nodes > 1 else 1
        pools = [
            gcp.container.NodePool(
                f"{name}-pool{suffix}",
                name=f"{name}{suffix}",
                project=args["project"],
                location=args["region"],
                cluster=args["cluster"],
                node_locations=zones_of(args),
                initial_node_count=0,
                autoscaling={
                    "total_min_node_count": args["min_nodes"]
                    if nodes == 1
                    else nodes * (index < args["min_nodes"] // nodes),
                    "total_max_node_count": args["max_nodes"] // slices,
                    "location_policy": _location_policy(capacity, machine.gpu_type),
                },
                # A flex-start node is not repaired: its replacement would have to queue again.
                management={"auto_repair": not flex_start, "auto_upgrade": True},
                upgrade_settings=upgrade,
                network_config={
                    "enable_private_nodes": True,
                    "accelerator_network_profile": "auto" if args.get("rdma") else None,
                },
                placement_policy=_placement(args),
                node_config=_node_config(name, args),
                opts=pulumi.ResourceOptions(
                    parent=self,
                    delete_before_replace=True,
                    # The autoscaler moves it, and a change would replace the pool. Taints and
                    # labels that GKE adds need no such line: the provider compares only those
                    # given here.
                    ignore_changes=["initialNodeCount"],
                ),
            )
            for index, suffix in enumerate(["", *(f"-{each}" for each in range(2, slices + 1))])
        ]
        self.node_pool_name = pools[0].name
        self.gpu_type = machine.gpu_type
        self.gpu_count = machine.gpu_count
        self.node_selector = {SLICES_LABEL if slices > 1 else NODE_POOL_LABEL: name}
        if machine.is_tpu:
            topology = args.get("topology") or machine.topologies[0]
            self.node_selector |= {TPU_LABEL: machine.gpu_type, TPU_TOPOLOGY_LABEL: topology}
        register(self)


def _placement(
    args: GpuNodePoolArgs,
) -> gcp.container.NodePoolPlacementPolicyArgsDict | None:
    if limits.slice_nodes(args) > 1:
        return {"type": "COMPACT", "tpu_topology": args.get("topology")}
    return {"type": "COMPACT"} if args.get("compact_placement") else None


def _location_policy(capacity: str, gpu_type: str) -> str:
    balanced = capacity == "on-demand" and gpu_type in _PLENTIFUL_GPUS
    return "BALANCED" if balanced else "ANY"


def _node_config(name: str, args: GpuNodePoolArgs) -> gcp.container.NodePoolNodeConfigArgsDict:
    machine = GPU_MACHINE_TYPES[args["machine_type"]]
    driver_version = args.get("driver", limits.DRIVER.default)
    nodes = limits.slice_nodes(args)
    config: gcp.container.NodePoolNodeConfigArgsDict = {
        "machine_type": machine.name,
        "image_type": "COS_CONTAINERD",
        "disk_size_gb": args.get("disk_gib", limits.BOOT_DISK_GIB.default),
        "disk_type": machine.boot_disk_type,
        "service_account": args["node_service_account"],
        "oauth_scopes": defaults.OAUTH_SCOPES,
        "labels": {
            **args.get("labels", {}),
            **(RDMA_LABEL if args.get("rdma") else {}),
            **({SLICES_LABEL: name} if 1 < nodes < args["max_nodes"] else {}),
            **_class_label(args),
        },
        "taints": [
            *(
                {"key": taint["key"], "value": taint["value"], "effect": taint["effect"]}
                for taint in args.get("taints", ())
            ),
            *(
                {"key": key, "value": value, "effect": "NO_SCHEDULE"}
                for key, value in _class_label(args).items()
            ),
        ],
        "gcfs_config": {"enabled": True},
        "gvnic": {"enabled": True},
        "shielded_instance_config": {
            "enable_integrity_monitoring": True,
            # The drivers GKE installs are signed by Google; one's own would not be loaded.
            "enable_secure_boot": driver_version != "disabled",
        },
        "workload_metadata_config": {"mode": "GKE_METADATA"},
        "reservation_affinity": _reservation_affinity(args),
        "spot": args["capacity"] == "spot",
    }
    if not machine.is_tpu:
        config["guest_accelerators"] = [
            {
                "type": machine.gpu_type,
                "count": machine.gpu_count,
                "gpu_partition_size": args.get("partition"),
                "gpu_driver_installation_config": {
                    "gpu_driver_version": DRIVER_VERSIONS[driver_version],
                },
            }
        ]
    if args["capacity"] == "flex-start":
        config["flex_start"] = True
        hours = args.get("max_run_hours") or limits.MAX_RUN_HOURS.default
        config["max_run_duration"] = f"{hours * 3600}s"
    if machine.local_ssd_count:
        config["ephemeral_storage_local_ssd_config"] = {
            "local_ssd_count": machine.local_ssd_count,
        }
    return config


def _class_label(args: GpuNodePoolArgs) -> Mapping[str, str]:
    """Return what a pool that is made by hand needs to be of a class, as label and as taint.

    https://cloud.google.com/kubernetes-engine/docs/concepts/about-custom-compute-classes
    """
    return {COMPUTE_CLASS_LABEL: args["compute_class"]} if "compute_class" in args else {}


def _reservation_affinity(
    args: GpuNodePoolArgs,
) -> gcp.container.NodePoolNodeConfigReservationAffinityArgsDict:
    reservation = args.get("reservation")
    if reservation:
        return {
            "consume_reservation_type": "SPECIFIC_RESERVATION",
            "key": "compute.googleapis.com/reservation-name",
            "values": [reservation],
        }
    if args["capacity"] == "on-demand":
        # Takes a reservation open to all first: it is paid for anyway.
        return {"consume_reservation_type": "ANY_RESERVATION"}
    return {"consume_reservation_type": "NO_RESERVATION"}

"""GpuNodePool: the GPUs of the catalog, bought as asked, never more of them than asked."""

from typing import Any, cast

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.machines import CAPACITIES, GPU_MACHINE_TYPES
from components.cluster.gpu_node_pool import GpuNodePool
from components.cluster.gpu_node_pool_arguments import GpuNodePoolArgs, validate_gpu_node_pool
from tests.unit import examples
from tests.unit.cloud_answers import PROJECT_ID
from tests.unit.harness import Deploy, Recorded

NODE_POOL = "gcp:container/nodePool:NodePool"
EMAIL = f"nodes@{PROJECT_ID}.iam.gserviceaccount.com"

ARGS: GpuNodePoolArgs = examples.arguments("GpuNodePool")
SPOT: GpuNodePoolArgs = {**ARGS, "capacity": "spot"}
FLEX_START: GpuNodePoolArgs = {
    **ARGS,
    "machine_type": "a3-highgpu-8g",
    "capacity": "flex-start",
    "min_nodes": 0,
}
RESERVATION: GpuNodePoolArgs = {
    **ARGS,
    "machine_type": "a3-highgpu-8g",
    "capacity": "reservation",
    "reservation": "h100s",
    "node_locations": ["us-central1-a"],
}


def _pool(deploy: Deploy, args: GpuNodePoolArgs = ARGS) -> Recorded:
    return deploy(lambda: GpuNodePool("l4", args)).one(NODE_POOL)


def _config(deploy: Deploy, args: GpuNodePoolArgs = ARGS) -> dict[str, Any]:
    return _pool(deploy, args).inputs["nodeConfig"]


def _reasons(args: GpuNodePoolArgs, name: str = "l4") -> dict[str, str]:
    found = validate_gpu_node_pool(name, args).found
    return {problem["property_path"]: problem["reason"] for problem in found}


def test_gpus_are_those_of_the_machine_type(deploy: Deploy):
    config = _config(deploy)
    assert config["machineType"] == "g2-standard-24"
    assert config["guestAccelerators"] == [
        {
            "type": "nvidia-l4",
            "count": 2,
            "gpuDriverInstallationConfig": {"gpuDriverVersion": "DEFAULT"},
        }
    ]


def test_gpus_are_divided_as_asked(deploy: Deploy):
    args: GpuNodePoolArgs = {**SPOT, "machine_type": "a2-ultragpu-1g", "partition": "2g.20gb"}
    accelerator = _config(deploy, args)["guestAccelerators"][0]
    assert (accelerator["count"], accelerator["gpuPartitionSize"]) == (1, "2g.20gb")
    assert "1g.10gb, 2g.20gb, 3g.40gb" in _reasons({**args, "partition": "1g.5gb"})["partition"]


@pytest.mark.parametrize("machine_type", sorted(GPU_MACHINE_TYPES))
def test_every_gpu_machine_type_can_be_had(deploy: Deploy, machine_type: str):
    machine = GPU_MACHINE_TYPES[machine_type]
    args: GpuNodePoolArgs = {
        **ARGS,
        "machine_type": machine_type,
        "region": machine.regions[0],
        "capacity": "spot",
    }
    config = _config(deploy, args)
    if machine.is_tpu:
        assert "guestAccelerators" not in config
    else:
        assert config["guestAccelerators"][0]["count"] == machine.gpu_count
    assert config["diskType"] == machine.boot_disk_type
    local_ssds = config.get("ephemeralStorageLocalSsdConfig", {"localSsdCount": 0})
    assert local_ssds["localSsdCount"] == machine.local_ssd_count


def test_a_slice_of_tpus_is_a_node_pool_of_its_own(deploy: Deploy):
    args: GpuNodePoolArgs = {
        **SPOT,
        "machine_type": "ct6e-standard-4t",
        "topology": "4x4",
        "node_locations": ["us-central1-a"],
        "min_nodes": 4,
        "max_nodes": 8,
    }
    made: list[GpuNodePool] = []
    pools = deploy(lambda: made.append(GpuNodePool("v6e", args))).all(NODE_POOL)
    assert [each.inputs["name"] for each in pools] == ["v6e", "v6e-2"]
    sizes = [each.inputs["autoscaling"] for each in pools]
    assert [(each["totalMinNodeCount"], each["totalMaxNodeCount"]) for each in sizes] == [
        (4, 4),
        (0, 4),
    ]
    for each in pools:
        assert each.inputs["placementPolicy"] == {"type": "COMPACT", "tpuTopology": "4x4"}
        assert each.inputs["nodeConfig"]["labels"] == {
            **ARGS.get("labels", {}),
            "tpu-slices": "v6e",
        }
    assert made[0].node_selector == {
        "tpu-slices": "v6e",
        "cloud.google.com/gke-tpu-accelerator": "tpu-v6e-slice",
        "cloud.google.com/gke-tpu-topology": "4x4",
    }


@pytest.mark.parametrize(
    ("change", "path", "reason"),
    [
        ({"topology": "2x2x2"}, "topology", "allowed: 2x2, 2x4, 4x4, 4x8"),
        ({"machine_type": "g2-standard-8"}, "topology", "g2-standard-8 has GPUs"),
        ({"max_nodes": 6}, "max_nodes", "a multiple of 4"),
        ({"node_locations": []}, "topology", "with 0 zones"),
        ({"driver": "latest"}, "driver", "nothing with TPUs"),
        ({"partition": "1g.10gb"}, "partition", "tpu-v6e-slice stays whole"),
        ({"region": "europe-west9", "node_locations": []}, "region", "allowed: asia-northeast1"),
    ],
)
def test_tpus_that_cannot_be_had(change: dict[str, Any], path: str, reason: str):
    args = {
        **ARGS,
        "machine_type": "ct6e-standard-4t",
        "topology": "4x4",
        "node_locations": ["us-central1-a"],
        "min_nodes": 0,
        "max_nodes": 4,
        **change,
    }
    assert reason in _reasons(cast("GpuNodePoolArgs", args))[path]


def test_node_counts_are_totals_of_the_region(deploy: Deploy):
    pool = _pool(deploy)
    assert pool.inputs["autoscaling"] == {
        "totalMinNodeCount": 1,
        "totalMaxNodeCount": 4,
        "locationPolicy": "BALANCED",
    }
    assert "nodeCount" not in pool.inputs
    assert pool.inputs["initialNodeCount"] == 0


@pytest.mark.parametrize(
    ("args", "policy"),
    [
        (ARGS, "BALANCED"),
        ({**ARGS, "machine_type": "a3-highgpu-8g"}, "ANY"),
        (SPOT, "ANY"),
        (FLEX_START, "ANY"),
        (RESERVATION, "ANY"),
    ],
)
def test_scarce_gpus_are_taken_in_any_zone(deploy: Deploy, args: GpuNodePoolArgs, policy: str):
    assert _pool(deploy, args).inputs["autoscaling"]["locationPolicy"] == policy


def test_nodes_are_in_every_zone_that_sells_them_unless_said_otherwise(deploy: Deploy):
    sold_in = GPU_MACHINE_TYPES["g2-standard-24"].zones_in("us-central1")
    assert _pool(deploy).inputs["nodeLocations"] == list(sold_in)
    chosen: GpuNodePoolArgs = {**ARGS, "node_locations": ["us-central1-b"]}
    assert _pool(deploy, chosen).inputs["nodeLocations"] == ["us-central1-b"]


def test_on_demand_is_neither_spot_nor_queued(deploy: Deploy):
    config = _config(deploy)
    assert config["spot"] is False
    assert "flexStart" not in config
    assert "maxRunDuration" not in config
    assert config["reservationAffinity"] == {"consumeReservationType": "ANY_RESERVATION"}


def test_spot_takes_no_reservation(deploy: Deploy):
    config = _config(deploy, SPOT)
    assert config["spot"] is True
    assert config["reservationAffinity"] == {"consumeReservationType": "NO_RESERVATION"}


def test_flex_start_queues_for_nodes_that_live_seven_days(deploy: Deploy):
    pool = _pool(deploy, FLEX_START)
    config = pool.inputs["nodeConfig"]
    assert config["flexStart"] is True
    assert config["maxRunDuration"] == "604800s"
    assert config["spot"] is False
    assert config["reservationAffinity"] == {"consumeReservationType": "NO_RESERVATION"}
    assert pool.inputs["autoscaling"]["totalMinNodeCount"] == 0
    assert pool.inputs["management"] == {"autoRepair": False, "autoUpgrade": True}


def test_flex_start_nodes_may_live_shorter(deploy: Deploy):
    config = _config(deploy, {**FLEX_START, "max_run_hours": 2})
    assert config["maxRunDuration"] == "7200s"


def test_reservation_is_the_named_one(deploy: Deploy):
    config = _config(deploy, RESERVATION)
    assert config["spot"] is False
    assert config["reservationAffinity"] == {
        "consumeReservationType": "SPECIFIC_RESERVATION",
        "key": "compute.googleapis.com/reservation-name",
        "values": ["h100s"],
    }


@pytest.mark.parametrize("args", [ARGS, SPOT, RESERVATION])
def test_an_upgrade_asks_for_no_further_gpus(deploy: Deploy, args: GpuNodePoolArgs):
    assert _pool(deploy, args).inputs["upgradeSettings"] == {
        "strategy": "SURGE",
        "maxSurge": 0,
        "maxUnavailable": 1,
    }


def test_flex_start_leaves_the_upgrade_strategy_to_gke(deploy: Deploy):
    assert "upgradeSettings" not in _pool(deploy, FLEX_START).inputs


def test_broken_nodes_are_repaired(deploy: Deploy):
    assert _pool(deploy).inputs["management"] == {"autoRepair": True, "autoUpgrade": True}


def test_nodes_are_private_and_hide_their_credentials_from_pods(deploy: Deploy):
    pool = _pool(deploy)
    assert pool.inputs["networkConfig"] == {"enablePrivateNodes": True}
    assert pool.inputs["nodeConfig"]["workloadMetadataConfig"] == {"mode": "GKE_METADATA"}
    assert pool.inputs["nodeConfig"]["serviceAccount"] == EMAIL


def test_images_are_streamed_over_a_fast_network(deploy: Deploy):
    config = _config(deploy)
    assert config["gcfsConfig"] == {"enabled": True}
    assert config["gvnic"] == {"enabled": True}


@pytest.mark.parametrize(
    ("driver", "installed", "secure_boot"),
    [
        ("default", "DEFAULT", True),
        ("latest", "LATEST", True),
        ("disabled", "INSTALLATION_DISABLED", False),
    ],
)
def test_only_ones_own_driver_goes_without_secure_boot(
    deploy: Deploy, driver: str, installed: str, secure_boot: bool
):
    config = _config(deploy, {**ARGS, "driver": driver})
    driver = config["guestAccelerators"][0]["gpuDriverInstallationConfig"]
    assert driver == {"gpuDriverVersion": installed}
    assert config["shieldedInstanceConfig"] == {
        "enableIntegrityMonitoring": True,
        "enableSecureBoot": secure_boot,
    }


def test_labels_taints_and_disk_are_the_users(deploy: Deploy):
    args: GpuNodePoolArgs = {
        **ARGS,
        "labels": {"acme.com/team": "search"},
        "taints": [{"key": "team", "value": "search", "effect": "NO_SCHEDULE"}],
        "disk_gib": 300,
    }
    config = _config(deploy, args)
    assert config["labels"] == {"acme.com/team": "search"}
    assert config["taints"] == [{"key": "team", "value": "search", "effect": "NO_SCHEDULE"}]
    assert config["diskSizeGb"] == 300


def test_nodes_stand_close_to_each_other_on_request(deploy: Deploy):
    args: GpuNodePoolArgs = {**RESERVATION, "compact_placement": True}
    assert _pool(deploy, args).inputs["placementPolicy"] == {"type": "COMPACT"}
    assert "placementPolicy" not in _pool(deploy).inputs


def test_autoscaling_never_replaces_the_pool_and_edits_take_effect(deploy: Deploy):
    pool = _pool(deploy)
    assert pool.ignore_changes == ("initialNodeCount",)
    assert pool.delete_before_replace


def test_outputs_put_pods_on_the_pool(deploy: Deploy):
    cloud = deploy(lambda: GpuNodePool("l4", ARGS))
    component = cloud.one("inference:index:GpuNodePool")
    assert cloud.outputs[component.urn] == {
        "node_pool_name": "l4",
        "gpu_type": "nvidia-l4",
        "gpu_count": 2,
        "node_selector": {"cloud.google.com/gke-nodepool": "l4"},
    }


@pytest.mark.parametrize("args", [ARGS, SPOT, FLEX_START, RESERVATION])
def test_every_capacity_is_valid(args: GpuNodePoolArgs):
    assert _reasons(args) == {}


@pytest.mark.parametrize(
    ("args", "change", "path", "said"),
    [
        (ARGS, {"machine_type": "n2-standard-8"}, "machine_type", "allowed: a2-highgpu-1g"),
        (ARGS, {"capacity": "cheap"}, "capacity", "allowed: on-demand, spot, flex-start"),
        (
            ARGS,
            {"machine_type": "a3-highgpu-1g"},
            "capacity",
            "allowed: flex-start, spot (how a3-highgpu-1g is sold)",
        ),
        (ARGS, {"region": "us-south1"}, "region", "allowed: asia-east1"),
        (
            ARGS,
            {"node_locations": ["us-central1-a", "us-central1-f"]},
            "node_locations[1]",
            "found 'us-central1-f'; allowed: us-central1-a",
        ),
        (ARGS, {"reservation": "r"}, "reservation", "found 'r'; allowed: nothing unless capacity"),
        (RESERVATION, {"reservation": ""}, "reservation", "allowed: the name of a reservation"),
        (RESERVATION, {"reservation": "R_1"}, "reservation", "projects/<project>/reservations/"),
        (RESERVATION, {"node_locations": []}, "node_locations", "the zones the reservation is in"),
        (FLEX_START, {"min_nodes": 1}, "min_nodes", "found 1; allowed: 0 with capacity flex-start"),
        (FLEX_START, {"max_run_hours": 0}, "max_run_hours", "from 1 to 168 hours"),
        (ARGS, {"max_run_hours": 2}, "max_run_hours", "allowed: nothing unless capacity"),
        (ARGS, {"min_nodes": -1}, "min_nodes", "from 0 to 1000 nodes"),
        (ARGS, {"min_nodes": 5}, "min_nodes", "found 5; allowed: at most max_nodes, 4"),
        (ARGS, {"min_nodes": 0, "max_nodes": 0}, "max_nodes", "from 1 to 1000 nodes"),
        (ARGS, {"driver": "new"}, "driver", "allowed: default, latest, disabled"),
        (ARGS, {"disk_gib": 20}, "disk_gib", "from 50 to 65536 GiB"),
        (ARGS, {"compact_placement": True}, "compact_placement", "found true with 0 zones"),
        (
            ARGS,
            {"labels": {"k8s.io/os": "x"}},
            'labels["k8s.io/os"]',
            "a Kubernetes label key outside kubernetes.io",
        ),
        (ARGS, {"labels": {"a b": "x"}}, 'labels["a b"]', "a Kubernetes label key"),
        (ARGS, {"labels": {"a": "-"}}, "labels.a", "up to 63 letters"),
        (
            ARGS,
            {"taints": [{"key": "k", "value": "v", "effect": "NoSchedule"}]},
            "taints[0].effect",
            "allowed: NO_SCHEDULE, PREFER_NO_SCHEDULE, NO_EXECUTE",
        ),
    ],
)
def test_wrong_combinations_are_named_with_what_is_allowed(
    args: GpuNodePoolArgs, change: Any, path: str, said: str
):
    reasons = _reasons(cast("GpuNodePoolArgs", {**args, **change}))
    assert list(reasons) == [path]
    assert said in reasons[path]


@pytest.mark.parametrize("name", ["L4", "l" * 41])
def test_wrong_names_are_refused(name: str):
    assert list(_reasons(ARGS, name)) == ["name"]


@given(
    machine_type=st.sampled_from(sorted(GPU_MACHINE_TYPES)),
    capacity=st.sampled_from(CAPACITIES),
    min_nodes=st.integers(-1, 5),
    max_nodes=st.integers(-1, 5),
    reservation=st.sampled_from(["", "r"]),
)
def test_every_mistake_says_what_was_found_and_what_is_allowed(
    machine_type: str, capacity: str, min_nodes: int, max_nodes: int, reservation: str
):
    change = {
        "machine_type": machine_type,
        "capacity": capacity,
        "min_nodes": min_nodes,
        "max_nodes": max_nodes,
        "reservation": reservation,
    }
    for reason in _reasons(cast("GpuNodePoolArgs", {**ARGS, **change})).values():
        assert reason.startswith("found ")
        assert "allowed" in reason


def test_all_mistakes_are_reported_at_once(deploy: Deploy):
    with pytest.raises(pulumi.InputPropertiesError) as raised:
        _pool(deploy, {**ARGS, "machine_type": "g9", "max_nodes": 0})
    assert "machine_type: found 'g9'" in str(raised.value)
    assert "max_nodes: found 0" in str(raised.value)

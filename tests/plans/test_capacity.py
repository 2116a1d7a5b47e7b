"""The quota a deployment needs: what counts against which metric, at the least and at the most."""

from typing import Any

import pytest
from pulumi.runtime.rpc import UNKNOWN

from catalog.machines import MACHINE_TYPES
from catalog.quotas import DISKS, GPUS, cpus
from launcher.report import capacity_table
from plans.capacity import Need, by_metric, needs
from resources.resource import Resource
from tests.plans.documents import POOL, gpu_pool

ADDRESS = "gcp:compute/address:Address"


def _resource(token: str, inputs: dict[str, Any], name: str = "it") -> Resource:
    return Resource(token, name, f"urn:pulumi:dev::inference::{token}::{name}", inputs)


def _pool(nodes: object, machine: str, least: int = 0, **config: object) -> Resource:
    inputs = gpu_pool(0, machine, diskType="pd-balanced", diskSizeGb=200, **config)
    inputs["autoscaling"] = {"totalMinNodeCount": least, "totalMaxNodeCount": nodes}
    return _resource(POOL, inputs)


def _numbers(*resources: Resource) -> dict[str, tuple[float, float | None]]:
    return {each.metric: (each.least, each.most) for each in by_metric(needs(resources))}


def test_nodes_count_by_gpus_cpus_and_disks():
    assert _numbers(_pool(3, "a3-highgpu-8g", least=1)) == {
        "GPUS_PER_GPU_FAMILY (NVIDIA_H100)": (8, 24),
        "CPUS": (208, 624),
        "LOCAL_SSD_TOTAL_GB": (6000, 18_000),
        "SSD_TOTAL_GB": (200, 600),
    }


def test_replicas_that_are_always_there_count_at_the_minimum():
    limits = {"resources": {"limits": {"nvidia.com/gpu": 2}}}
    spec = {"nodeSelector": {"cloud.google.com/gke-nodepool": "l4"}, "containers": [limits]}
    inputs = {"spec": {"replicas": 2, "template": {"spec": spec}}}
    found = _numbers(_pool(3, "g2-standard-24"), _resource("kubernetes:apps/v1:Deployment", inputs))
    assert found["NVIDIA_L4_GPUS"] == (4, 6)


@pytest.mark.parametrize("switch", ["spot", "flexStart"])
def test_what_may_be_taken_away_has_metrics_of_its_own(switch: str):
    assert _numbers(_pool(2, "a2-ultragpu-1g", **{switch: True})) == {
        "PREEMPTIBLE_NVIDIA_A100_80GB_GPUS": (0, 2),
        "PREEMPTIBLE_CPUS": (0, 24),
        "PREEMPTIBLE_LOCAL_SSD_GB": (0, 750),
        "SSD_TOTAL_GB": (0, 400),
    }


def test_metrics_add_up_over_pools_and_the_table_keeps_them_apart():
    found = needs(
        [_pool(2, "g2-standard-8"), _pool(1, "g2-standard-24"), _pool(1, "g2-standard-8")]
    )
    assert [(each.type, each.most) for each in found if each.metric == "CPUS"] == [
        ("g2-standard-24", 24),
        ("g2-standard-8", 24),
    ]
    assert _numbers(_pool(2, "g2-standard-8"), _pool(1, "g2-standard-24"))["NVIDIA_L4_GPUS"] == (
        0,
        4,
    )
    assert {each.zones for each in found} == {"a"}


def test_what_is_not_known_yet_is_said():
    found = needs([_pool(UNKNOWN, "g2-standard-8", least=1)])
    assert {each.most for each in found} == {None}
    assert "not known yet" in capacity_table(found, whole=False)


def test_addresses_count_by_their_type():
    inside = {"region": "us-central1", "addressType": "INTERNAL"}
    assert _numbers(
        _resource(ADDRESS, inside),
        _resource(ADDRESS, {"region": "us-central1"}),
        _resource("gcp:compute/globalAddress:GlobalAddress", {"addressType": "INTERNAL"}),
    ) == {
        "GLOBAL_INTERNAL_ADDRESSES": (1, 1),
        "INTERNAL_ADDRESSES": (1, 1),
        "STATIC_ADDRESSES": (1, 1),
    }


def test_every_gpu_and_boot_disk_of_the_catalog_has_a_metric():
    for machine in MACHINE_TYPES.values():
        assert not machine.gpu_type or machine.gpu_type in GPUS
        assert machine.boot_disk_type in DISKS
        assert cpus(machine.series).standard.endswith("CPUS")


def test_the_short_table_has_no_types():
    found = needs([_pool(2, "g2-standard-8")])
    short, whole = (capacity_table(found, whole=each) for each in (False, True))
    assert "g2-standard-8" in whole
    assert "g2-standard-8" not in short
    assert short.splitlines()[0].split() == ["quota", "minimum", "worst"]
    assert short.splitlines()[1] == "us-central1:"


def test_the_whole_table_fits_a_terminal():
    longest = [
        Need("us-central1", zones, "nvidia-h100-80gb", "GPUS_PER_GPU_FAMILY (NVIDIA_H100)", *few)
        for zones, few in (("a, b, c", (8, 16)), ("cluster's", (600, 12_000)))
    ]
    assert max(map(len, capacity_table(longest, whole=True).splitlines())) <= 80

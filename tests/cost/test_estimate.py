"""Estimates with round prices, so that each sum can be done by hand."""

from datetime import date
from typing import Any

import pytest
from pulumi_policy import proxy

from catalog.prices import MachinePrice, Price
from cost.estimate import Estimate, estimate
from cost.rates import CATALOG, Rates
from resources.resource import Resource

UNKNOWN = proxy.UNKNOWN_STRING_VALUE
DAY = date(2026, 11, 1)
HOURS = 730.0
SECONDS = 730.0 * 3600


def price(usd: float, unit: str, type_: str = "", times: str = "") -> Price:
    return Price(usd, unit, DAY, "made up", "high", type=type_, times=times)


RATES = Rates(
    machines={
        "g2-standard-8": MachinePrice(1.0, DAY, "made up", "high", spot=0.4),
        "a3-highgpu-8g": MachinePrice(100.0, date(2025, 4, 1), "made up", "high"),
        "n1-standard-4": MachinePrice(0.2, DAY, "made up", "high"),
    },
    prices={
        "gke-cluster": price(0.1, "cluster-hour"),
        "pd-balanced": price(0.1, "GiB-month"),
        "pd-ssd": price(0.2, "GiB-month"),
        "cloud-run-vcpu": price(0.00003, "vCPU-second"),
        "cloud-run-memory": price(0.000003, "GiB-second"),
        "cloud-run-idle-vcpu": price(0.00001, "vCPU-second"),
        "cloud-run-idle-memory": price(0.000001, "GiB-second"),
        "cloud-run-instance-vcpu": price(0.00002, "vCPU-second"),
        "cloud-run-instance-memory": price(0.000002, "GiB-second"),
        "cloud-run-gpu-nvidia-l4": price(0.0002, "GPU-second"),
        "security-policy": price(5.0, "policy-month"),
        "security-policy-rule": price(1.0, "rule-month"),
        "external-address": price(0.005, "address-hour"),
        "internal-address": price(0.0, "address-hour"),
        "forwarding-rule": price(0.02, "rule-hour"),
        "load-balancer-proxy": price(0.03, "proxy-hour"),
        "psc-endpoint": price(0.01, "endpoint-hour"),
        "nat-vm": price(0.001, "VM-hour"),
        "nat-gateway-most": price(0.05, "gateway-hour"),
        "vpc-spoke": price(0.07, "spoke-hour", "gcp:networkconnectivity/spoke:Spoke"),
        "dns-zone": price(0.2, "zone-month", "gcp:dns/managedZone:ManagedZone"),
        "file-share": price(
            0.3, "GiB-month", "gcp:filestore/instance:Instance", "fileShares.capacityGb"
        ),
        "private-ca-devops": price(20.0, "CA-month"),
        "private-ca-enterprise": price(200.0, "CA-month"),
    },
    region="us-central1",
    as_of=DAY,
)


def resource(token: str, inputs: dict[str, Any], name: str = "it") -> Resource:
    return Resource(token, name, f"urn:pulumi:dev::inference::{token}::{name}", inputs)


def of(token: str, inputs: dict[str, Any]) -> Estimate:
    return estimate([resource(token, inputs)], rates=RATES)


def totals(found: Estimate) -> object:
    return pytest.approx((found.minimum, found.expected, found.maximum))


def pool(**inputs: Any) -> Estimate:
    return of("gcp:container/nodePool:NodePool", {"location": "us-central1", **inputs})


def node(machine_type: str = "g2-standard-8", **config: Any) -> dict[str, Any]:
    return {"machineType": machine_type, "diskSizeGb": 100, **config}


MACHINE = HOURS
DISK = 10.0


def test_pool_by_total_counts() -> None:
    found = pool(
        autoscaling={"totalMinNodeCount": 1.0, "totalMaxNodeCount": 3.0}, nodeConfig=node()
    )
    one = MACHINE + DISK
    assert (one, 2 * one, 3 * one) == totals(found)
    assert found.unpriced == ()


def test_pool_by_counts_per_zone() -> None:
    autoscaling = {"minNodeCount": 1, "maxNodeCount": 2}
    one = MACHINE + DISK
    assert totals(pool(autoscaling=autoscaling, nodeConfig=node())) == (3 * one, 4.5 * one, 6 * one)
    zonal = pool(location="us-central1-a", autoscaling=autoscaling, nodeConfig=node())
    assert totals(zonal) == (one, 1.5 * one, 2 * one)
    two = pool(nodeLocations=["us-central1-a", "us-central1-b"], nodeCount=1, nodeConfig=node())
    assert totals(two) == (2 * one, 2 * one, 2 * one)


def test_fixed_replicas_keep_nodes_of_a_pool_that_may_be_empty() -> None:
    limits = {"resources": {"limits": {"nvidia.com/gpu": "1"}}}
    spec = {"nodeSelector": {"cloud.google.com/gke-nodepool": "l4"}, "containers": [limits]}
    inputs = {"name": "l4", "autoscaling": {"totalMaxNodeCount": 3}, "nodeConfig": node()}
    found = estimate(
        [
            resource("gcp:container/nodePool:NodePool", {"location": "us-central1-a", **inputs}),
            resource("kubernetes:apps/v1:Deployment", {"spec": {"template": {"spec": spec}}}),
        ],
        rates=RATES,
    )
    one = MACHINE + DISK
    assert totals(found) == (one, 2 * one, 3 * one)


def test_pool_scaled_to_zero_costs_nothing_at_the_minimum() -> None:
    found = pool(autoscaling={"totalMaxNodeCount": 2}, nodeConfig=node(spot=True))
    assert totals(found) == (0, 0.4 * HOURS + DISK, 2 * (0.4 * HOURS + DISK))


def test_expected_share() -> None:
    given = resource(
        "gcp:container/nodePool:NodePool",
        {"autoscaling": {"totalMaxNodeCount": 2}, "nodeConfig": node()},
    )
    found = estimate([given], rates=RATES, expected_share=0.25)
    assert found.expected == pytest.approx(0.5 * (MACHINE + DISK))
    with pytest.raises(ValueError, match="expected_share: found 2, allowed: 0 to 1"):
        estimate([given], rates=RATES, expected_share=2)


def test_flex_start_at_the_list_price() -> None:
    found = pool(
        autoscaling={"totalMaxNodeCount": 1}, nodeConfig=node("a3-highgpu-8g", flexStart=True)
    )
    assert found.maximum == pytest.approx(100 * HOURS + DISK)
    assert any("ceiling" in assumption for assumption in found.assumptions)


def test_boot_disk_by_type_and_size() -> None:
    found = pool(nodeCount=1, location="us-central1-a", nodeConfig=node(diskType="pd-ssd"))
    assert found.maximum == pytest.approx(MACHINE + 20)
    unknown = node(diskType="pd-ssd", bootDisk=UNKNOWN)
    found = pool(nodeCount=1, location="us-central1-a", nodeConfig=unknown)
    assert found.maximum == pytest.approx(MACHINE + 20)
    unknown = node(bootDisk={"diskType": UNKNOWN, "sizeGb": UNKNOWN})
    found = pool(nodeCount=1, location="us-central1-a", nodeConfig=unknown)
    assert [each.reason for each in found.unpriced] == ["the boot disk is not known during preview"]
    block = node(bootDisk={"diskType": "pd-ssd", "sizeGb": 50})
    found = pool(nodeCount=1, location="us-central1-a", nodeConfig=block)
    assert found.maximum == pytest.approx(MACHINE + 10)


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ({"nodeConfig": node()}, "the number of nodes is not set"),
        (
            {"autoscaling": {"totalMaxNodeCount": UNKNOWN}, "nodeConfig": node()},
            "the number of nodes is not known during preview",
        ),
        ({"nodeCount": 1, "nodeConfig": node(UNKNOWN)}, "the machine type is not known"),
        (
            {"nodeCount": 1, "nodeConfig": node("a9-highgpu-8g")},
            "there is no price for",
        ),
        (
            {"nodeCount": 1, "nodeConfig": node("a3-highgpu-8g", spot=True)},
            "there is no price for a3-highgpu-8g nodes, spot",
        ),
        (
            {"nodeCount": 1, "nodeConfig": node(diskType="pd-extreme")},
            "there is no price for boot disks",
        ),
        (
            {
                "nodeCount": 1,
                "nodeConfig": node(
                    "n1-standard-4", guestAccelerators=[{"type": "nvidia-tesla-t4", "count": 1}]
                ),
            },
            "there is no price for GPUs attached to a machine",
        ),
    ],
)
def test_what_lacks_is_told_and_not_priced_0(inputs: dict[str, Any], reason: str) -> None:
    found = pool(**inputs)
    (unpriced,) = found.unpriced
    assert unpriced.reason.startswith(reason)
    assert not unpriced.by_usage


def test_cluster() -> None:
    token = "gcp:container/cluster:Cluster"  # noqa: S105  a type token
    kept = of(token, {"removeDefaultNodePool": True, "initialNodeCount": 1})
    assert totals(kept) == (73, 73, 73)
    default = {"location": "us-central1-a", "initialNodeCount": 2, "nodeConfig": node()}
    assert of(token, default).maximum == pytest.approx(73 + 2 * (MACHINE + DISK))
    (autopilot,) = of(token, {"enableAutopilot": True}).unpriced
    assert "Autopilot" in autopilot.reason
    (provisioning,) = of(
        token, {"removeDefaultNodePool": True, "clusterAutoscaling": {"enabled": True}}
    ).unpriced
    assert "auto-provisioning" in provisioning.reason


def run(*containers: dict[str, Any], **scaling: Any) -> Estimate:
    return of(
        "gcp:cloudrunv2/service:Service",
        {
            "location": "us-central1",
            "template": {"scaling": scaling, "containers": list(containers)},
        },
    )


def test_cloud_run_billed_by_request() -> None:
    container = {"resources": {"limits": {"cpu": "2000m", "memory": "1Gi"}, "cpuIdle": True}}
    found = run(container, minInstanceCount=1, maxInstanceCount=4)
    low = (2 * 0.00001 + 0.000001) * SECONDS
    high = 4 * (2 * 0.00003 + 0.000003) * SECONDS
    assert totals(found) == (low, (low + high) / 2, high)
    assert [each.reason for each in found.unpriced] == ["requests are billed by number beside that"]
    assert found.unpriced[0].by_usage


def test_cloud_run_billed_by_instance() -> None:
    container = {"resources": {"limits": {"cpu": "1", "memory": "512Mi"}}}
    found = run(container, minInstanceCount=1, maxInstanceCount=2)
    one = (0.00002 + 0.5 * 0.000002) * SECONDS
    assert totals(found) == (one, 1.5 * one, 2 * one)
    assert found.unpriced == ()


def test_a_service_whose_own_scaling_the_provider_has_yet_to_fill_in_keeps_the_most_warm() -> None:
    template = {
        "scaling": {"minInstanceCount": 1, "maxInstanceCount": 2},
        "containers": [{"resources": {"limits": {"cpu": "1", "memory": "512Mi"}}}],
    }
    found = of(
        "gcp:cloudrunv2/service:Service",
        {"location": "us-central1", "scaling": UNKNOWN, "template": template},
    )
    two = 2 * (0.00002 + 0.5 * 0.000002) * SECONDS
    assert totals(found) == (two, two, two)
    assert found.unpriced == ()


def gpu_service(**template: Any) -> Estimate:
    limits = {"cpu": "4", "memory": "16Gi", "nvidia.com/gpu": "1"}
    template |= {
        "scaling": {"maxInstanceCount": 2},
        "containers": [{"resources": {"limits": limits, "cpuIdle": False}}],
    }
    return of("gcp:cloudrunv2/service:Service", {"template": template})


def test_cloud_run_gpus_are_billed_with_their_instances() -> None:
    found = gpu_service(nodeSelector={"accelerator": "nvidia-l4"}, gpuZonalRedundancyDisabled=True)
    (gpus,) = [line for line in found.lines if line.what == "Cloud Run GPUs"]
    assert (gpus.minimum, gpus.maximum) == pytest.approx((0, 2 * 0.0002 * SECONDS))
    assert found.unpriced == ()


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ({"nodeSelector": {"accelerator": "nvidia-l4"}}, "with zonal redundancy"),
        ({"gpuZonalRedundancyDisabled": True}, "the kind of GPU is "),
        (
            {"gpuZonalRedundancyDisabled": True, "nodeSelector": {"accelerator": "nvidia-h9"}},
            "there is no price for Cloud Run GPUs",
        ),
    ],
)
def test_cloud_run_gpus_without_a_price_are_told(template: Any, reason: str) -> None:
    (unpriced,) = gpu_service(**template).unpriced
    assert reason in unpriced.reason


@pytest.mark.parametrize(
    "token",
    [
        "gcp:compute/securityPolicy:SecurityPolicy",
        "gcp:compute/regionSecurityPolicy:RegionSecurityPolicy",
    ],
)
def test_security_policies_cost_by_rules(token: str) -> None:
    found = of(token, {"rules": [{"priority": 1}, {"priority": 2}]})
    assert totals(found) == (7, 7, 7)
    assert totals(of(token, {})) == (5, 5, 5)


@pytest.mark.parametrize("scaling", [{}, {"maxInstanceCount": UNKNOWN}])
def test_cloud_run_without_a_known_maximum(scaling: dict[str, Any]) -> None:
    found = run({}, **scaling)
    assert found.lines == ()
    assert found.unpriced[0].reason.startswith("the maximum of instances is not")


@pytest.mark.parametrize(
    ("token", "inputs", "expected"),
    [
        ("gcp:compute/address:Address", {"addressType": "INTERNAL"}, 0),
        ("gcp:compute/address:Address", {}, 0.005 * HOURS),
        ("gcp:compute/globalAddress:GlobalAddress", {"addressType": "EXTERNAL"}, 0.005 * HOURS),
        ("gcp:compute/forwardingRule:ForwardingRule", {"target": UNKNOWN}, 0.02 * HOURS),
        (
            "gcp:compute/forwardingRule:ForwardingRule",
            {"target": UNKNOWN, "loadBalancingScheme": ""},
            0.01 * HOURS,
        ),
        (
            "gcp:compute/forwardingRule:ForwardingRule",
            {"target": "projects/p/regions/r/serviceAttachments/a"},
            0.01 * HOURS,
        ),
        (
            "kubernetes:gateway.networking.k8s.io/v1:Gateway",
            {},
            (0.02 + 3 * 0.03) * HOURS,
        ),
        ("gcp:dns/managedZone:ManagedZone", {}, 0.2),
        (
            "gcp:compute/globalForwardingRule:GlobalForwardingRule",
            {"loadBalancingScheme": "INTERNAL_MANAGED"},
            (0.02 + 3 * 0.03) * HOURS,
        ),
        (
            "gcp:compute/globalForwardingRule:GlobalForwardingRule",
            {"loadBalancingScheme": "EXTERNAL_MANAGED"},
            0.02 * HOURS,
        ),
        (
            "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup",
            {"networkEndpointType": "PRIVATE_SERVICE_CONNECT"},
            0.01 * HOURS,
        ),
        ("gcp:networkconnectivity/spoke:Spoke", {}, 0.07 * HOURS),
    ],
)
def test_flat_prices(token: str, inputs: dict[str, Any], expected: float) -> None:
    assert totals(of(token, inputs)) == (expected, expected, expected)


def test_nat_between_one_vm_and_the_most() -> None:
    low, high = 0.001 * HOURS, 0.05 * HOURS
    assert totals(of("gcp:compute/routerNat:RouterNat", {})) == (low, (low + high) / 2, high)


def test_authority_by_the_tier_of_its_pool() -> None:
    ca_pool = resource("gcp:certificateauthority/caPool:CaPool", {"name": "p", "tier": "DEVOPS"})
    root = resource("gcp:certificateauthority/authority:Authority", {"pool": "p"})
    other = resource("gcp:certificateauthority/authority:Authority", {"pool": UNKNOWN})
    assert totals(estimate([ca_pool, root], rates=RATES)) == (20, 20, 20)
    assert totals(estimate([ca_pool, other], rates=RATES)) == (20, 110, 200)


@pytest.mark.parametrize(
    "token",
    [
        "gcp:pubsub/topic:Topic",
        "gcp:pubsub/subscription:Subscription",
        "gcp:bigquery/table:Table",
        "gcp:storage/bucket:Bucket",
        "gcp:compute/serviceAttachment:ServiceAttachment",
    ],
)
def test_usage_is_listed(token: str) -> None:
    found = of(token, {})
    assert found.lines == ()
    assert [each.by_usage for each in found.unpriced] == [True]


@pytest.mark.parametrize(
    "token",
    [
        "inference:index:GkeCluster",
        "pulumi:providers:gcp",
        "kubernetes:apps/v1:Deployment",
        "gcp:pubsub/topicIAMMember:TopicIAMMember",
        "gcp:projects/service:Service",
        "gcp:compute/network:Network",
        "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup",
        "gcp:compute/snapshotSettings:SnapshotSettings",
        "gcp:networkconnectivity/hub:Hub",
        "gcp:networkconnectivity/group:Group",
        "gcp:accesscontextmanager/servicePerimeter:ServicePerimeter",
    ],
)
def test_free(token: str) -> None:
    found = of(token, {})
    assert (found.lines, found.unpriced) == ((), ())


@pytest.mark.parametrize("token", ["gcp:alloydb/cluster:Cluster", "aws:s3/bucket:Bucket"])
def test_unheard_of_types_are_unpriced(token: str) -> None:
    (unpriced,) = of(token, {}).unpriced
    assert unpriced.reason == f"there is no price for {token}"
    assert not unpriced.by_usage


def test_an_unheard_of_type_stops_nothing_unless_its_service_bills_by_capacity() -> None:
    assert [each.advisory for each in of("gcp:firebase/hostingSite:HostingSite", {}).unpriced] == [
        True
    ]
    assert [each.advisory for each in of("gcp:alloydb/cluster:Cluster", {}).unpriced] == [False]


def test_a_row_alone_prices_a_simple_type_by_a_property() -> None:
    token = "gcp:filestore/instance:Instance"  # noqa: S105  a type token
    assert totals(of(token, {"fileShares": {"capacityGb": 100}})) == (30, 30, 30)
    (unpriced,) = of(token, {"fileShares": {"capacityGb": UNKNOWN}}).unpriced
    assert unpriced.reason.startswith(
        "fileShares.capacityGb, which file share is priced by, is not"
    )


def test_totals_are_the_sums_of_the_lines() -> None:
    found = estimate(
        [
            resource("gcp:container/cluster:Cluster", {"removeDefaultNodePool": True}),
            resource(
                "gcp:container/nodePool:NodePool",
                {"autoscaling": {"totalMaxNodeCount": 2}, "nodeConfig": node()},
            ),
        ],
        rates=RATES,
    )
    assert totals(found) == (73, 73 + MACHINE + DISK, 73 + 2 * (MACHINE + DISK))


def test_old_prices_are_told() -> None:
    given = resource(
        "gcp:container/nodePool:NodePool", {"nodeCount": 1, "nodeConfig": node("a3-highgpu-8g")}
    )
    found = estimate([given], rates=RATES, today=date(2026, 11, 21))
    assert found.as_of == date(2025, 4, 1)
    (warning,) = [each for each in found.assumptions if each.startswith("WARNING")]
    assert "more than 180 days old: a3-highgpu-8g;" in warning
    fresh = estimate([given], rates=RATES, today=date(2025, 9, 28))
    assert not [each for each in fresh.assumptions if each.startswith("WARNING")]


def test_other_regions_are_told() -> None:
    given = resource("gcp:container/cluster:Cluster", {"location": "us-east4"})
    found = estimate([given], rates=RATES)
    assert "us-east4 at the prices of us-central1, some percent off" in found.assumptions


def test_catalog_has_every_price_that_is_asked_for() -> None:
    for name in RATES.prices.keys() - {"file-share"}:
        assert CATALOG.month(name) is not None, name
    assert CATALOG.machine("g2-standard-8", "spot") is not None

"""What Cloud Run jobs, Dataflow workers and Apigee environments cost at most."""

from typing import Any

import pytest
from pulumi_policy import proxy

from cost.estimate import Estimate, estimate
from cost.rates import CATALOG
from resources.resource import Resource

JOB = "gcp:cloudrunv2/job:Job"
DATAFLOW = "gcp:dataflow/flexTemplateJob:FlexTemplateJob"
ENVIRONMENT = "gcp:apigee/environment:Environment"
INSTANCE = "gcp:apigee/instance:Instance"
UNKNOWN = proxy.UNKNOWN_STRING_VALUE


def of(*resources: tuple[str, dict[str, Any]]) -> Estimate:
    return estimate(
        Resource(token, f"it-{number}", f"urn:pulumi:dev::inference::{token}::it-{number}", inputs)
        for number, (token, inputs) in enumerate(resources)
    )


def month(price: str) -> float:
    rate = CATALOG.month(price)
    assert rate
    return rate.usd


def lacks(found: Estimate) -> list[str]:
    return [each.reason for each in found.unpriced if not each.by_usage]


def cloud_run_job(**template: Any) -> dict[str, Any]:
    limits = {"cpu": "2", "memory": "4Gi"}
    return {
        "template": {"template": {"containers": [{"resources": {"limits": limits}}]}} | template
    }


@pytest.mark.parametrize(
    ("template", "tasks"),
    [
        ({}, 1),
        ({"taskCount": 10}, 10),
        ({"taskCount": 10, "parallelism": 4}, 4),
        ({"taskCount": 2, "parallelism": 4}, 2),
        ({"taskCount": 10, "parallelism": 0}, 10),
    ],
)
def test_cloud_run_job_with_all_its_tasks_all_month(template: dict[str, Any], tasks: int) -> None:
    found = of((JOB, cloud_run_job(**template)))
    one = 2 * month("cloud-run-instance-vcpu") + 4 * month("cloud-run-instance-memory")
    assert (found.minimum, found.maximum) == (0, pytest.approx(tasks * one))
    assert not lacks(found)


@pytest.mark.parametrize("unknown", ["taskCount", "parallelism"])
def test_cloud_run_job_of_unknown_size_is_not_free(unknown: str) -> None:
    assert lacks(of((JOB, cloud_run_job(**{unknown: UNKNOWN})))) == [
        "the number of tasks is not known during preview"
    ]


@pytest.mark.parametrize("decided_by_dataflow", [{}, {"numWorkers": UNKNOWN}])
def test_dataflow_workers_up_to_the_most(decided_by_dataflow: dict[str, Any]) -> None:
    inputs = {"machineType": "n2-standard-2", "maxWorkers": 3, **decided_by_dataflow}
    found = of((DATAFLOW, inputs))
    one = 2 * month("dataflow-streaming-vcpu") + 8 * month("dataflow-streaming-memory")
    assert (found.minimum, found.maximum) == (pytest.approx(one), pytest.approx(3 * one))


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ({"machineType": "n2-standard-2"}, "the maximum of workers is not set"),
        ({"maxWorkers": 3}, "the machine type of the workers is not set"),
        ({"machineType": "g2-standard", "maxWorkers": 3}, "the size of g2-standard is not known"),
    ],
)
def test_dataflow_workers_of_unknown_size_are_not_free(inputs: dict[str, Any], reason: str) -> None:
    assert lacks(of((DATAFLOW, inputs))) == [reason]


def test_apigee_environment_in_every_region_there_is() -> None:
    regions = [(INSTANCE, {"location": region}) for region in ("us-central1", "us-east4")]
    found = of((ENVIRONMENT, {"type": "COMPREHENSIVE"}), *regions)
    one = month("apigee-comprehensive")
    assert (found.minimum, found.maximum) == (pytest.approx(one), pytest.approx(2 * one))


@pytest.mark.parametrize("inputs", [{}, {"type": UNKNOWN}])
def test_apigee_environment_of_unknown_type_costs_up_to_the_dearest(inputs: dict[str, Any]) -> None:
    found = of((ENVIRONMENT, inputs))
    assert (found.minimum, found.maximum) == (
        pytest.approx(month("apigee-base")),
        pytest.approx(month("apigee-comprehensive")),
    )


@pytest.mark.parametrize(
    ("token", "spec", "least", "most"),
    [
        ("kubernetes:core/v1:Service", {"type": "LoadBalancer"}, 1, 1),
        ("kubernetes:core/v1:Service", {"type": "ClusterIP"}, 0, 0),
        ("kubernetes:core/v1:Service", {}, 0, 0),
        ("kubernetes:networking.k8s.io/v1:Ingress", {}, 1, 2),
    ],
)
def test_load_balancers_of_kubernetes_objects(
    token: str, spec: dict[str, Any], least: int, most: int
) -> None:
    found = of((token, {"spec": spec}))
    rule = month("forwarding-rule")
    assert (found.minimum, found.maximum) == (least * rule, most * rule)
    assert not lacks(found)


def test_service_of_unknown_type_is_not_free() -> None:
    found = of(("kubernetes:core/v1:Service", {"spec": {"type": UNKNOWN}}))
    assert lacks(found) == ["the type of the Service is not known during preview"]

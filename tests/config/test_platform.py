"""What stacks ask a platform."""

from typing import Any

import pytest
from pydantic import ValidationError

from config.load import from_file, from_mapping
from config.services import LoadBalancer
from tests.config.samples import REMOVED, ROOT, SOURCE, changed, values

PROD = from_file(ROOT / "Pulumi.prod.yaml")
EAST = {
    "nodes": "10.1.0.0/20",
    "pods": "10.68.0.0/14",
    "services": "10.1.32.0/20",
    "proxy_only": "10.1.48.0/23",
    "psc_nat": "10.1.50.0/24",
}


def test_pools_and_models_are_in_every_region_by_default() -> None:
    for region in PROD.regions:
        assert PROD.pools_in(region) == PROD.gpu_pools
        assert PROD.models_in(region) == PROD.models


VERTEX_AI: dict[str, Any] = {"name": "vertex", "vertex_ai": {}}


def test_pools_and_models_keep_to_their_regions() -> None:
    platform = from_mapping(
        changed(
            ("regions|us-east4", EAST),
            ("gpu_pools|l4|regions", ["us-east4"]),
            ("models|qwen3-4b|regions", ["us-east4"]),
            ("models|gemini", {"external": [VERTEX_AI], "regions": ["us-central1"]}),
            ("services|chat|models", []),
        ),
        SOURCE,
    )
    assert list(platform.pools_in("us-east4")) == ["l4"]
    assert platform.pools_in("us-central1") == {}
    assert list(platform.models_in("us-central1")) == ["gemini"]
    assert platform.replica_sets_in("us-central1") == ()


def test_replica_sets_come_with_their_model() -> None:
    found = [(name, each.name, each.weight) for name, _, each in PROD.replica_sets_in("us-east4")]
    assert found == [
        ("llama-3.3-70b", "h100", 90),
        ("llama-3.3-70b", "h100-flex", 10),
        ("llama-3.1-8b", "l4", 100),
        ("qwen3-4b", "l4", 100),
    ]


def test_zones_are_those_that_sell_the_machine_unless_given() -> None:
    pool = from_mapping(values(), SOURCE).gpu_pools["l4"]
    assert pool.zones_in("us-central1") == ("us-central1-a", "us-central1-b", "us-central1-c")
    chosen = changed(("gpu_pools|l4|zones", {"us-central1": ["us-central1-b"]}))
    pool = from_mapping(chosen, SOURCE).gpu_pools["l4"]
    assert pool.zones_in("us-central1") == ("us-central1-b",)


def test_lineage_is_kept_where_it_is_asked_for() -> None:
    lineage = "datalineage.googleapis.com"
    assert lineage not in from_mapping(values(), SOURCE).apis
    assert lineage in from_mapping(changed(("data|lineage", True)), SOURCE).apis


def test_only_apis_of_areas_in_use_are_enabled() -> None:
    everything = from_mapping(values(), SOURCE)
    assert {"run.googleapis.com", "accesscontextmanager.googleapis.com"} <= set(everything.apis)
    areas = (
        "pipelines",
        "services",
        "data",
        "vertex",
        "perimeter",
        "alerts",
        "budget",
        "slos",
        "audit",
    )
    less = from_mapping(changed(*((area, REMOVED) for area in areas)), SOURCE)
    assert less.perimeter is None
    assert set(everything.apis) - set(less.apis) == {
        "accesscontextmanager.googleapis.com",
        "aiplatform.googleapis.com",
        "apigateway.googleapis.com",
        "bigquery.googleapis.com",
        "billingbudgets.googleapis.com",
        "networkconnectivity.googleapis.com",
        "pubsub.googleapis.com",
        "redis.googleapis.com",
        "run.googleapis.com",
        "servicenetworking.googleapis.com",
        "servicecontrol.googleapis.com",
        "servicemanagement.googleapis.com",
    }


def test_data_with_a_key_needs_its_api() -> None:
    key = "projects/acme-keys/locations/us-central1/keyRings/data/cryptoKeys/one"
    platform = from_mapping(
        changed(("data|lake|raw|kms_key", key), ("data|warehouse|serving|kms_key", key)), SOURCE
    )
    assert "cloudkms.googleapis.com" in platform.apis
    assert "cloudkms.googleapis.com" not in from_mapping(values(), SOURCE).apis
    encrypted = from_mapping(changed(("encryption", {"rotation_days": 90})), SOURCE)
    assert "cloudkms.googleapis.com" in encrypted.apis


def test_the_perimeter_closes_the_apis_of_data_and_vertex() -> None:
    perimeter = from_mapping(values(), SOURCE).perimeter
    assert perimeter
    closed = {"aiplatform", "bigquery", "cloudkms", "networkconnectivity", "redis", "storage"}
    assert {f"{name}.googleapis.com" for name in closed} <= set(perimeter.restricted_services)


def test_an_empty_perimeter_is_none() -> None:
    assert from_mapping(changed(("perimeter", {})), SOURCE).perimeter is None


def test_the_network_may_call_the_restricted_services_by_default() -> None:
    only = ["storage.googleapis.com"]
    perimeter = from_mapping(changed(("perimeter|restricted_services", only)), SOURCE).perimeter
    assert perimeter is not None
    assert perimeter.vpc_accessible_services == tuple(only)


def test_results_without_config_are_partitioned_and_clustered() -> None:
    results = (
        from_mapping(changed(("pipelines|sentiment|results", REMOVED)), SOURCE)
        .pipelines["sentiment"]
        .results
    )
    assert results.partition_field == "processed_at"
    assert results.cluster_by == ("model",)


def test_a_platform_does_not_change() -> None:
    with pytest.raises(ValidationError):
        setattr(PROD, "environment", "dev")  # noqa: B010 - refused by a checker of types


def test_every_model_and_adapter_is_screened_unless_it_says_none() -> None:
    screened = {"qwen3-4b": "default", "tone": "default"}
    assert from_mapping(values(), SOURCE).guardrails_by_model("us-central1") == screened
    without = from_mapping(changed(("guardrails", REMOVED)), SOURCE)
    assert without.guardrails_by_model("us-central1") == screened
    assert without.all_guardrails["default"].sensitive_data == "block"
    unscreened = from_mapping(changed(("models|qwen3-4b|guardrail", "none")), SOURCE)
    assert unscreened.guardrails_by_model("us-central1") == {}


def test_an_unscreened_model_stays_listed_beside_screened_ones() -> None:
    config = values()
    config["models"]["raw"] = {**config["models"]["qwen3-4b"], "guardrail": "none"}
    del config["models"]["raw"]["adapters"]
    platform = from_mapping(config, SOURCE)
    assert platform.guardrails_by_model("us-central1") == {
        "qwen3-4b": "default",
        "tone": "default",
        "raw": "none",
    }


def test_every_committed_stack_screens_all_its_models() -> None:
    for stack in ("dev", "prod"):
        platform = from_file(ROOT / f"Pulumi.{stack}.yaml")
        for region in platform.regions:
            found = platform.guardrails_by_model(region)
            assert set(platform.models_in(region)) <= set(found)
            assert "none" not in found.values()
            assert not any(each.fail_open for each in platform.all_guardrails.values())


def test_notifications_over_pubsub_need_its_api_without_pipelines_too() -> None:
    without = (("pipelines", REMOVED), ("data", REMOVED))
    topics = from_mapping(changed(*without), SOURCE)
    assert "pubsub.googleapis.com" in topics.apis
    mail = changed(*without, ("alerts|notify|incidents", REMOVED))
    assert "pubsub.googleapis.com" not in from_mapping(mail, SOURCE).apis


def test_the_most_replicas_are_those_that_stay_or_the_autoscalers() -> None:
    sets = {name: replica_set for name, _, replica_set in PROD.replica_sets_in("us-east4")}
    assert sets["qwen3-4b"].most_replicas == 4
    assert sets["llama-3.1-8b"].most_replicas == sets["llama-3.1-8b"].replicas == 2
    assert PROD.autoscales_in("us-east4")
    assert not from_mapping(values(), SOURCE).autoscales_in("us-central1")


def test_a_model_with_a_guardrail_at_its_replicas_has_none_at_the_gateway() -> None:
    at_replica = {"at": "replica", "service": {"image": "docker.io/acme/nemo:1", "port": 8080}}
    platform = from_mapping(
        changed(
            ("guardrails|nemo", at_replica),
            ("models|raw", {**values()["models"]["qwen3-4b"], "adapters": [], "guardrail": "nemo"}),
        ),
        SOURCE,
    )
    assert platform.guardrails_by_model("us-central1") == {
        "qwen3-4b": "default",
        "tone": "default",
        "raw": "none",
    }
    found = platform.replica_guardrail(platform.models["raw"])
    assert found is not None
    assert found.port == 8080
    assert platform.replica_guardrail(platform.models["qwen3-4b"]) is None
    assert platform.gateway_guardrail("us-central1") is None


def test_a_service_at_the_gateway_takes_the_place_of_model_armor() -> None:
    service = {"service": {"service": "nemo", "port": 50051}, "fail_open": True}
    platform = from_mapping(changed(("guardrails|default", service)), SOURCE)
    found = platform.gateway_guardrail("us-central1")
    assert found is not None
    assert found.service == "nemo"
    assert platform.guardrails_fail_open
    assert PROD.gateway_guardrail("us-east4") is None


def test_apigee_needs_its_api_on_and_nothing_else_does() -> None:
    assert "apigee.googleapis.com" in PROD.apis
    without = from_mapping(changed(("api_management", REMOVED)), SOURCE)
    assert "apigee.googleapis.com" not in without.apis


@pytest.mark.parametrize(
    ("kind", "given", "rate"),
    [
        ("global-external", {}, 600),
        ("global-external", {"requests_per_minute": 5}, 5),
        ("global-external", {"allowed_ranges": ("203.0.113.0/24",)}, None),
        ("regional-external", {"waf_rules": ("sqli",)}, None),
        ("internal", {}, None),
    ],
)
def test_what_is_external_is_never_without_cloud_armor(
    kind: str, given: dict[str, Any], rate: int | None
) -> None:
    balancer = LoadBalancer(kind=kind, hostname="chat.acme.com", **given)
    assert balancer.rate == rate

"""Objectives: on metrics that exist, with burn rates that tell, and budgets that are shown."""

import json
import re
from typing import Any, cast

import pulumi
import pytest

from catalog.limits import operations as limits
from catalog.metrics import BURN_RATES
from components.operations.service_level_objectives import (
    ServiceLevelObjectives,
    ServiceLevelObjectivesArgs,
    validate_service_level_objectives,
)
from tests.unit import examples
from tests.unit.harness import Cloud, Deploy

ARGS: ServiceLevelObjectivesArgs = examples.arguments("ServiceLevelObjectives")
SLO = "gcp:monitoring/slo:Slo"
SERVICE = "gcp:monitoring/customService:CustomService"
POLICY = "gcp:monitoring/alertPolicy:AlertPolicy"
DASHBOARD = "gcp:monitoring/dashboard:Dashboard"
# A comparison of a monitoring filter: https://cloud.google.com/monitoring/api/v3/filters
_VALUE = r'(?:"[^"]+"|[0-9]+|one_of\("[^"]+"(?:, "[^"]+")+\)|starts_with\("[^"]+"\))'
_COMPARISON = rf"(?:metric|resource)\.(?:type|labels\.[a-z_]+) = {_VALUE}"
_FILTER = re.compile(rf"{_COMPARISON}(?: AND {_COMPARISON})*")


@pytest.fixture
def cloud(deploy: Deploy) -> Cloud:
    return deploy(lambda: ServiceLevelObjectives("slos", ARGS))


def indicator(cloud: Cloud, name: str) -> dict[str, Any]:
    return cloud.one(SLO, name).inputs["requestBasedSli"]


def test_every_objective_belongs_to_a_service_of_its_own(cloud: Cloud):
    assert {each.inputs["displayName"] for each in cloud.all(SERVICE)} == {
        "slos: gateway",
        "slos: model qwen3-4b",
        "slos: service llm-backend",
    }
    assert {each.name: each.inputs["service"] for each in cloud.all(SLO)} == {
        "slos-gateway-availability": "slos-gateway",
        "slos-model-qwen3-4b-availability": "slos-model-qwen3-4b",
        "slos-model-qwen3-4b-latency": "slos-model-qwen3-4b",
        "slos-model-qwen3-4b-time-to-first-token": "slos-model-qwen3-4b",
        "slos-service-llm-backend-availability": "slos-service-llm-backend",
        "slos-service-llm-backend-latency": "slos-service-llm-backend",
    }


def test_availability_is_the_share_of_answers_that_are_no_5xx(cloud: Cloud):
    ratio = indicator(cloud, "slos-model-qwen3-4b-availability")["goodTotalRatio"]
    total = ratio["totalServiceFilter"]
    assert 'metric.type = "prometheus.googleapis.com/http_requests_total/counter"' in total
    assert 'job = one_of("qwen3-4b-l4-us-central1", "qwen3-4b-l4-us-east4")' in total
    assert ratio["badServiceFilter"] == f'{total} AND metric.labels.status = "5xx"'


@pytest.mark.parametrize(
    ("slo", "metric", "most"),
    [
        ("model-qwen3-4b-latency", "vllm:e2e_request_latency_seconds/histogram", 20),
        ("model-qwen3-4b-time-to-first-token", "vllm:time_to_first_token_seconds/histogram", 2),
        ("service-llm-backend-latency", "run.googleapis.com/request_latencies", 30_000),
    ],
)
def test_a_latency_is_good_up_to_its_time_in_the_metrics_unit(
    cloud: Cloud, slo: str, metric: str, most: float
):
    cut = indicator(cloud, f"slos-{slo}")["distributionCut"]
    assert f'{metric}"' in cut["distributionFilter"]
    assert cut["range"] == {"max": most}


def test_every_filter_is_of_comparisons_the_api_has(cloud: Cloud):
    filters = [
        each
        for slo in cloud.all(SLO)
        for sli in slo.inputs["requestBasedSli"].values()
        for each in sli.values()
        if isinstance(each, str)
    ]
    assert len(filters) == 3 * 2 + 3
    for each in filters:
        assert _FILTER.fullmatch(each), each


def test_a_budget_that_burns_tells_once_over_a_long_and_a_short_time(cloud: Cloud):
    slo = "projects/.*/serviceLevelObjectives/availability"
    policy = cloud.one(POLICY, "slos-gateway-availability-fast")
    assert policy.inputs["combiner"] == "AND"
    assert policy.inputs["severity"] == "CRITICAL"
    assert policy.inputs["notificationChannels"] == ARGS.get("channels")
    long, short = (each["conditionThreshold"] for each in policy.inputs["conditions"])
    for condition, seconds in ((long, 3600), (short, 300)):
        assert re.fullmatch(rf'select_slo_burn_rate\("{slo}", "{seconds}s"\)', condition["filter"])
        assert condition["thresholdValue"] == 14.4
        assert condition["comparison"] == "COMPARISON_GT"


def test_a_burn_rate_a_budget_never_reaches_has_no_policy(cloud: Cloud):
    """Of a tenth, spent by all requests being bad, the budget burns ten times as fast as it may."""
    made = {each.name for each in cloud.all(POLICY)}
    assert {each for each in made if each.startswith("slos-model-qwen3-4b-latency")} == {
        "slos-model-qwen3-4b-latency-slow",
        "slos-model-qwen3-4b-latency-gradual",
    }
    assert any(each.may_fire(limits.GOAL.low) for each in BURN_RATES.values())


def test_burn_rates_are_those_the_api_alerts_on_and_grow_quieter():
    rates = [*BURN_RATES.values()]
    assert all(each.hours <= 24 and each.minutes * 12 == each.hours * 60 for each in rates)
    shares = [each.rate * each.hours / 24 / 30 for each in rates]
    assert shares == pytest.approx([0.02, 0.05, 0.1])


def test_nobody_is_told_without_channels(deploy: Deploy):
    args = cast("ServiceLevelObjectivesArgs", {**ARGS, "channels": []})
    cloud = deploy(lambda: ServiceLevelObjectives("slos", args))
    assert cloud.all(POLICY) == []
    assert len(cloud.all(SLO)) == 6


def test_every_error_budget_is_on_the_dashboard(cloud: Cloud):
    tiles = json.loads(cloud.one(DASHBOARD).inputs["dashboardJson"])["mosaicLayout"]["tiles"]
    shown = [
        line["timeSeriesQuery"]["timeSeriesFilter"]["filter"]
        for tile in tiles
        for line in tile["widget"].get("xyChart", {}).get("dataSets", [])
    ]
    for selector in ("select_slo_budget_fraction", "select_slo_burn_rate"):
        assert len({each for each in shown if each.startswith(f'{selector}("projects/')}) == 6


def test_wrong_arguments_are_named():
    args: Any = {
        **ARGS,
        "gateway": {"availability": {"goal": 1}, "time_to_first_token": {"goal": 0.9}},
        "models": {
            "a": {
                "servers": [],
                "objectives": {
                    "availability": {"goal": 0.9, "threshold_seconds": 3},
                    "latency": {"goal": 0.9},
                },
            }
        },
        "services": {"b": {}},
        "rolling_period_days": 31,
    }
    del args["namespaces"]
    assert {each["property_path"] for each in validate_service_level_objectives(args).found} == {
        "gateway.availability.goal",
        "gateway.time_to_first_token",
        "models.a.servers",
        "models.a.objectives.availability.threshold_seconds",
        "models.a.objectives.latency.threshold_seconds",
        "services.b",
        "rolling_period_days",
        "namespaces",
    }
    with pytest.raises(pulumi.InputPropertiesError, match="rolling_period_days"):
        validate_service_level_objectives(args).raise_if_any("ServiceLevelObjectives slos")

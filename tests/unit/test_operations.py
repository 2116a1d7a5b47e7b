"""Operations: what is shown, who is told of what, what a month may cost."""

import json
import re
from collections.abc import Mapping
from typing import Any, cast

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import metrics
from catalog.metrics import ALERTS, CHARTS, METRICS, QUERIES
from components.inference.inference_gateway import InferenceGateway
from components.inference.model_server import ModelServer
from components.operations.budget import Budget, BudgetArgs, validate_budget
from components.operations.dashboard_layout import dashboard_json
from components.operations.inference_alerts import (
    InferenceAlerts,
    InferenceAlertsArgs,
    validate_inference_alerts,
)
from components.operations.inference_dashboard import (
    InferenceDashboard,
    validate_inference_dashboard,
)
from components.operations.matchers import (
    endpoint_matchers,
    inference_matchers,
    matcher,
)
from components.operations.notification_channels import (
    NotificationChannels,
    validate_notification_channels,
)
from components.operations.pipeline_alerts import (
    PipelineAlerts,
    PipelineAlertsArgs,
    validate_pipeline_alerts,
)
from components.operations.pipeline_dashboard import (
    PipelineDashboard,
    PipelineDashboardArgs,
    validate_pipeline_dashboard,
)
from components.operations.watched_pipelines import SINKS, pipeline_matchers
from tests.unit import operations_arguments as arguments
from tests.unit.harness import Cloud, Deploy
from tests.unit.inference_arguments import GATEWAY, OPEN_SERVER

POLICY = "gcp:monitoring/alertPolicy:AlertPolicy"
DASHBOARD = "gcp:monitoring/dashboard:Dashboard"
CHANNEL = "gcp:monitoring/notificationChannel:NotificationChannel"
ACCESS = "gcp:secretmanager/getSecretVersionAccess:getSecretVersionAccess"
KEY = {ACCESS: {"secretData": "pager-key", "name": "projects/acme/secrets/pagerduty-key"}}

# What PromQL has besides metrics and labels.
_WORDS = re.compile(r'"[^"]*"|\{[^}]*\}|\[[^]]*\]|\bby \([^)]*\)|\b[a-z_]+(?= ?\(| by \()|\bor\b')
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_NAMES = {
    name + ending
    for metric in METRICS.values()
    for name in [metric.name]
    for ending in (("_bucket", "_sum", "_count") if metric.kind == "histogram" else ("",))
}
EVERYTHING = {
    **inference_matchers(
        arguments.MODELS, arguments.ADAPTERS, arguments.POOLS, arguments.DASHBOARD["namespaces"]
    ),
    **pipeline_matchers({"sentiment": {"sinks": SINKS}}),
    **endpoint_matchers(["123"]),
}


def metrics_in(query: str) -> set[str]:
    """Return what a query names that is no function, label or keyword."""
    return set(_NAME.findall(_WORDS.sub(" ", query)))


def tiles(cloud: Cloud) -> list[dict[str, Any]]:
    return json.loads(cloud.one(DASHBOARD).inputs["dashboardJson"])["mosaicLayout"]["tiles"]


def queries(cloud: Cloud) -> list[str]:
    return [
        line["timeSeriesQuery"]["prometheusQuery"]
        for tile in tiles(cloud)
        for line in tile["widget"].get("xyChart", {}).get("dataSets", [])
    ]


def conditions(cloud: Cloud) -> Mapping[str, dict[str, Any]]:
    """Return the one condition of each policy, by the policy's name."""
    found: dict[str, dict[str, Any]] = {}
    for policy in cloud.all(POLICY):
        (condition,) = policy.inputs["conditions"]
        found[policy.name] = condition["conditionPrometheusQueryLanguage"]
    return found


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_uses_metrics_of_the_table_and_is_closed(name: str):
    query = QUERIES[name].text(EVERYTHING)
    found = metrics_in(query)
    assert found
    assert found <= _NAMES
    for opening, closing in ("()", "{}", "[]"):
        assert query.count(opening) == query.count(closing)


@pytest.mark.parametrize("name", QUERIES)
def test_counters_are_rated_and_gauges_are_not(name: str):
    query = QUERIES[name].text(EVERYTHING)
    for metric in METRICS.values():
        rated = f"rate({metric.name}" in query
        if re.search(rf"{re.escape(metric.name)}(_bucket)?(?![a-zA-Z0-9_])", query):
            assert rated == (metric.kind != "gauge"), metric.name


@pytest.mark.parametrize("name", sorted(n for n in QUERIES if n.endswith("errors_percent")))
def test_a_percentage_of_errors_is_of_one_counter_and_its_like(name: str):
    """A part of what one counter counts, by the same labels, never exceeds all of it."""
    counted = re.findall(
        r"sum by (\([^)]*\)) \(rate\(([\w:]+)\{(.*?)\}\[5m\]\)\)", QUERIES[name].text(EVERYTHING)
    )
    half = len(counted) // 2
    parts, wholes = counted[:half], counted[half:]
    assert parts
    for (by, metric, labels), (whole_by, whole_metric, whole_labels) in zip(
        parts, wholes, strict=True
    ):
        assert (by, metric) == (whole_by, whole_metric)
        assert set(whole_labels.split(",")) < set(labels.split(","))


def test_errors_are_counted_where_they_happen():
    """The picker counts what it refuses itself, and not what a replica answers."""
    assert metrics_in(QUERIES["errors_percent"].text(EVERYTHING)) == {"http_requests_total"}
    for alert in ALERTS.values():
        assert "picker_errors" not in QUERIES[alert.query].promql


def test_every_metric_is_used_and_has_a_source():
    used = {name for query in QUERIES.values() for name in metrics_in(query.text(EVERYTHING))}
    for metric in METRICS.values():
        assert used & {metric.name, f"{metric.name}_bucket"}, metric.name
        assert metrics.SOURCES[metric.source].startswith("https://")
        assert metric.kind in {"counter", "gauge", "histogram"}


def test_what_fires_is_also_shown():
    for alert in ALERTS.values():
        shown = {
            query
            for chart in CHARTS.values()
            if chart.dashboard == alert.dashboard
            for query in chart.queries
        }
        assert alert.query in shown
        assert alert.comparison in {">", "<=", "=="}
        assert alert.severity in {"CRITICAL", "ERROR", "WARNING"}
        assert len(alert.runbook) > 80


@pytest.mark.parametrize("dashboard", metrics.DASHBOARDS)
def test_charts_neither_overlap_nor_leave_the_dashboard(dashboard: str):
    layout = json.loads(dashboard_json(dashboard, "title", EVERYTHING))["mosaicLayout"]
    taken: set[tuple[int, int]] = set()
    for tile in layout["tiles"]:
        left, top = tile.get("xPos", 0), tile.get("yPos", 0)
        area = {
            (x, y)
            for x in range(left, left + tile["width"])
            for y in range(top, top + tile["height"])
        }
        assert not taken & area
        assert left + tile["width"] <= layout["columns"]
        taken |= area
        assert 0 not in tile.values()


def test_every_model_adapter_and_pool_is_on_the_dashboard(deploy: Deploy):
    cloud = deploy(lambda: InferenceDashboard("platform", arguments.DASHBOARD))
    everything = "\n".join(queries(cloud))
    for name in [*arguments.MODELS, *arguments.ADAPTERS, *arguments.POOLS]:
        assert name.replace(".", "[.]") in everything
    titles = [tile["widget"]["title"] for tile in tiles(cloud)]
    for chart in CHARTS.values():
        assert chart.title in titles or chart.dashboard != "inference"


def test_every_pipeline_is_on_its_dashboard(deploy: Deploy):
    cloud = deploy(lambda: PipelineDashboard("platform", arguments.PIPELINE_DASHBOARD))
    everything = "\n".join(queries(cloud))
    for name in ("sentiment", "tags"):
        for part in ("push", "dead-letter", "service", "archive"):
            assert f"{name}-{part}" in everything
    for part in ("pull", "messages", "dataflow"):
        assert f"sentiment-{part}" in everything
        assert f"tags-{part}" not in everything
    titles = {tile["widget"]["title"] for tile in tiles(cloud)}
    assert titles >= {chart.title for chart in CHARTS.values() if chart.dashboard == "serverless"}


def test_what_no_pipeline_has_is_not_on_the_dashboard(deploy: Deploy):
    args: PipelineDashboardArgs = {"project": "acme", "pipelines": {"sentiment": {}}}
    cloud = deploy(lambda: PipelineDashboard("platform", args))
    titles = {tile["widget"]["title"] for tile in tiles(cloud)}
    assert titles.isdisjoint({"Dataflow", "System lag", "Exports by state"})
    assert "Failed deliveries" in titles
    assert not [query for query in queries(cloud) if re.search("-(pull|archive|dataflow)", query)]


def test_the_dashboards_address_opens_it_in_the_console(deploy: Deploy):
    cloud = deploy(lambda: InferenceDashboard("platform", arguments.DASHBOARD).url)
    assert re.fullmatch(
        r"https://console\.cloud\.google\.com/monitoring/dashboards/builder/[^/?]+\?project=acme",
        cloud.value,
    )


def test_every_alert_has_a_policy_with_its_threshold_and_runbook(deploy: Deploy):
    cloud = deploy(lambda: InferenceAlerts("platform", arguments.ALERTS))
    found = conditions(cloud)
    wanted = {name: each for name, each in ALERTS.items() if each.dashboard == "inference"}
    assert set(found) == {f"platform-{name.replace('_', '-')}" for name in wanted}
    thresholds = arguments.ALERTS["thresholds"]
    for name, alert in wanted.items():
        policy = cloud.one(POLICY, f"platform-{name.replace('_', '-')}")
        threshold = thresholds.get(alert.threshold, alert.threshold)
        query = found[policy.name]["query"]
        assert query.endswith(f" {alert.comparison} {threshold}")
        assert found[policy.name]["duration"] == f"{alert.minutes * 60}s"
        assert found[policy.name]["disableMetricValidation"] is True
        assert policy.inputs["severity"] == alert.severity
        assert policy.inputs["notificationChannels"] == [arguments.CHANNEL]
        assert alert.runbook in policy.inputs["documentation"]["content"]
        assert policy.inputs["documentation"]["links"][0]["url"] == arguments.URL


def test_a_model_may_have_latency_thresholds_of_its_own(deploy: Deploy):
    found = conditions(deploy(lambda: InferenceAlerts("platform", arguments.ALERTS)))
    first, second = found["platform-latency-p90"]["query"].split(" or ")
    assert 'model_name=~"llama-3[.]3-70b"' in first
    assert first.endswith("> 45")
    assert 'model_name=~"llama-3[.]1-8b|qwen3-4b"' in second
    assert second.endswith("> 20")
    everyone = 'model_name=~"llama-3[.]3-70b|llama-3[.]1-8b|qwen3-4b"'
    assert everyone in found["platform-latency-p99"]["query"]
    assert " or " not in found["platform-latency-p99"]["query"]


def test_an_autoscaler_that_is_not_there_is_not_watched(deploy: Deploy):
    args = cast("InferenceAlertsArgs", {**arguments.ALERTS, "autoscaled": False})
    found = conditions(deploy(lambda: InferenceAlerts("platform", args)))
    assert "platform-autoscaler-room" not in found
    assert "platform-no-endpoint" in found


def test_every_alert_on_pipelines_has_a_policy(deploy: Deploy):
    found = conditions(deploy(lambda: PipelineAlerts("pipes", arguments.PIPELINE_ALERTS)))
    wanted = [name for name, each in ALERTS.items() if each.dashboard == "serverless"]
    assert set(found) == {f"pipes-{name.replace('_', '-')}" for name in wanted}


@pytest.mark.parametrize(
    ("alert", "about", "ends"),
    [
        ("backlog-age", "sentiment-push|tags-push", "> 600"),
        (
            "sinks-backlog-age",
            "sentiment-messages|sentiment-archive|sentiment-dataflow|tags-archive",
            "> 1800",
        ),
        (
            "failed-deliveries",
            "sentiment-push|sentiment-messages|sentiment-archive|tags-push|tags-archive",
            "> 10",
        ),
        ("stopped-exports", "sentiment-messages|sentiment-archive|tags-archive", "> 0"),
        ("expired-deliveries", "sentiment-pull|sentiment-dataflow", "> 10"),
        (
            "dead-letters-refused",
            "sentiment-push|sentiment-pull|sentiment-messages|sentiment-dataflow|tags-push",
            "> 0",
        ),
        ("dead-letters", "sentiment-dead-letter|tags-dead-letter", "> 3"),
        ("job-failed", "sentiment-dataflow", "> 0"),
        ("job-lag", "sentiment-dataflow", "> 300"),
        ("job-freshness", "sentiment-dataflow", "> 900"),
        ("service-errors", "sentiment-service|tags-service", "> 5"),
    ],
)
def test_an_alert_on_pipelines_is_about_all_it_concerns(
    deploy: Deploy, alert: str, about: str, ends: str
):
    found = conditions(deploy(lambda: PipelineAlerts("pipes", arguments.PIPELINE_ALERTS)))
    query = found[f"pipes-{alert}"]["query"]
    assert f'=~"{about}"' in query
    assert query.endswith(ends)


def test_messages_are_told_of_by_their_own_retention(deploy: Deploy):
    found = conditions(deploy(lambda: PipelineAlerts("pipes", arguments.PIPELINE_ALERTS)))
    week, day = found["pipes-retention"]["query"].split(" or ")
    for part in ("push", "dead-letter", "pull", "messages", "archive", "dataflow"):
        assert f"sentiment-{part}" in week
    assert week.endswith(f"> {7 * 86400 // 4}")
    assert '"tags-push|tags-dead-letter|tags-archive"' in day
    assert day.endswith(f"> {86400 // 4}")


def test_a_copy_that_is_not_there_is_not_watched(deploy: Deploy):
    args: PipelineAlertsArgs = {**arguments.PIPELINE_ALERTS, "pipelines": {"sentiment": {}}}
    found = conditions(deploy(lambda: PipelineAlerts("pipes", args)))
    assert set(found) == {
        f"pipes-{name}"
        for name in (
            *("backlog-age", "retention", "failed-deliveries", "dead-letters-refused"),
            *("dead-letters", "service-errors"),
        )
    }


@given(st.lists(st.text(alphabet="abc019._/-+~%", min_size=1, max_size=12), min_size=1, max_size=4))
def test_a_matcher_matches_its_names_and_no_other(names: list[str]):
    pattern = re.fullmatch(r'label=~"(.*)"', matcher("label", names))
    assert pattern
    for name in names:
        assert re.fullmatch(pattern[1], name)
        assert not re.fullmatch(pattern[1], f"{name}!")
        if "." in name and name.replace(".", "x") not in names:
            assert not re.fullmatch(pattern[1], name.replace(".", "x"))


def test_channels_tell_by_mail_by_topic_and_by_pagerduty(deploy: Deploy):
    cloud = deploy(lambda: NotificationChannels("told", arguments.CHANNELS), answers=KEY)
    mail, pager = cloud.one(CHANNEL, "told-oncall"), cloud.one(CHANNEL, "told-pager")
    assert mail.inputs["labels"] == {"email_address": "oncall@acme.com"}
    assert pager.inputs["sensitiveLabels"] == {
        "serviceKeyWo": "pager-key",
        "serviceKeyWoVersion": "projects/acme/secrets/pagerduty-key",
    }
    assert "sensitiveLabels" in pager.secret_inputs
    assert cloud.one(CHANNEL, "told-incidents").inputs["type"] == "pubsub"


def test_slack_and_webhooks_take_their_secrets_from_secret_manager(deploy: Deploy):
    cloud = deploy(lambda: NotificationChannels("told", arguments.CHANNELS), answers=KEY)
    chat, desk = cloud.one(CHANNEL, "told-chat"), cloud.one(CHANNEL, "told-desk")
    assert (chat.inputs["type"], desk.inputs["type"]) == ("slack", "webhook_basicauth")
    assert chat.inputs["labels"] == {"channel_name": "#alerts"}
    assert desk.inputs["labels"] == {"url": "https://desk.acme.com/incidents", "username": "gcp"}
    for channel, label in ((chat, "authToken"), (desk, "password")):
        assert channel.inputs["sensitiveLabels"] == {
            f"{label}Wo": "pager-key",
            f"{label}WoVersion": "projects/acme/secrets/pagerduty-key",
        }
        assert "sensitiveLabels" in channel.secret_inputs


def test_monitoring_may_publish_once_the_channel_made_its_account(deploy: Deploy):
    cloud = deploy(lambda: NotificationChannels("told", arguments.CHANNELS), answers=KEY)
    grant = cloud.one("gcp:pubsub/topicIAMMember:TopicIAMMember")
    assert grant.inputs["role"] == "roles/pubsub.publisher"
    assert grant.inputs["member"] == (
        "serviceAccount:service-415104041262@gcp-sa-monitoring-notification.iam.gserviceaccount.com"
    )
    assert cloud.requires(grant, cloud.one(CHANNEL, "told-incidents"))


def test_a_budget_tells_of_spend_and_forecast_of_this_project_only(deploy: Deploy):
    budget = deploy(lambda: Budget("month", arguments.BUDGET)).one("gcp:billing/budget:Budget")
    assert budget.inputs["budgetFilter"]["projects"] == ["projects/415104041262"]
    assert budget.inputs["amount"]["specifiedAmount"] == {"currencyCode": "USD", "units": "1000"}
    assert [
        (rule["thresholdPercent"], rule["spendBasis"]) for rule in budget.inputs["thresholdRules"]
    ] == [
        (0.5, "CURRENT_SPEND"),
        (0.8, "CURRENT_SPEND"),
        (1.0, "CURRENT_SPEND"),
        (1.0, "FORECASTED_SPEND"),
    ]
    assert budget.inputs["allUpdatesRule"]["monitoringNotificationChannels"] == [arguments.CHANNEL]


def test_a_budget_without_forecast_or_channels(deploy: Deploy):
    args = cast("BudgetArgs", {**arguments.BUDGET, "forecast_percent": None, "email_channels": []})
    budget = deploy(lambda: Budget("month", args)).one("gcp:billing/budget:Budget")
    assert {rule["spendBasis"] for rule in budget.inputs["thresholdRules"]} == {"CURRENT_SPEND"}
    assert "allUpdatesRule" not in budget.inputs


def paths(problems: Any) -> list[str]:
    return [problem["property_path"] for problem in problems.found]


def test_wrong_arguments_are_named():
    alerts: Any = {
        **arguments.ALERTS,
        "models": ['a"b', "c"],
        "channels": [],
        "thresholds": {"latency_p90_seconds": 1, "latency_p95_seconds": 2},
        "model_thresholds": {"d": {"errors_percent": 1}},
    }
    found = paths(validate_inference_alerts(alerts))
    assert "channels" in found
    assert "models[0]" in found
    assert "thresholds.latency_p99_seconds" in found
    assert "thresholds.latency_p95_seconds" in found
    assert "model_thresholds.d" in found
    assert "model_thresholds.d.errors_percent" in found
    dashboard: Any = {**arguments.DASHBOARD, "models": [], "namespaces": ["a b"]}
    assert paths(validate_inference_dashboard(dashboard)) == ["models", "namespaces[0]"]
    pipelines: Any = {**arguments.PIPELINE_ALERTS, "pipelines": {}, "thresholds": {}}
    assert set(paths(validate_pipeline_alerts(pipelines))) == {
        "pipelines",
        *(f"thresholds.{name}" for name in arguments.PIPELINE_ALERTS["thresholds"]),
    }
    watched: Any = {"project": "p", "pipelines": {"a": {"sinks": ["push"], "retention_days": 32}}}
    assert paths(validate_pipeline_dashboard(watched)) == [
        "pipelines.a.sinks[0]",
        "pipelines.a.retention_days",
    ]
    assert paths(validate_pipeline_dashboard({"project": "p", "pipelines": {}})) == ["pipelines"]
    channels: Any = {
        **arguments.CHANNELS,
        "channels": {"a": {}, "B": {"email": "x@acme.com", "pubsub_topic": "told"}},
    }
    assert paths(validate_notification_channels("told", channels)) == [
        "channels.a",
        "channels.B",
        "channels.B",
    ]
    budget: Any = {
        **arguments.BUDGET,
        "monthly_usd": 0,
        "thresholds_percent": [50, 150],
        "forecast_percent": 0,
        "email_channels": ["c"] * 6,
    }
    assert paths(validate_budget(budget)) == [
        "monthly_usd",
        "thresholds_percent[1]",
        "forecast_percent",
        "email_channels",
    ]


def test_wrong_arguments_stop_the_component(deploy: Deploy):
    args: Any = {**arguments.ALERTS, "channels": []}
    with pytest.raises(pulumi.InputPropertiesError, match=r"channels: found an empty"):
        deploy(lambda: InferenceAlerts("platform", args))


def _serving() -> None:
    InferenceGateway("gateway", GATEWAY)
    ModelServer("server", OPEN_SERVER)


def test_every_workload_of_the_request_path_is_scraped_once_on_a_port_it_has(deploy: Deploy):
    cloud = deploy(_serving)
    monitorings = cloud.all("kubernetes:monitoring.googleapis.com/v1:PodMonitoring")
    workloads = cloud.all("kubernetes:apps/v1:Deployment")
    assert len(workloads) == len(GATEWAY["pools"]) + 2  # the pickers, the router and the server
    for workload in workloads:
        template = workload.inputs["spec"]["template"]
        labels = template["metadata"]["labels"].items()
        (container,) = template["spec"]["containers"]
        (spec,) = (
            each.inputs["spec"]
            for each in monitorings
            if each.inputs["spec"]["selector"]["matchLabels"].items() <= labels
        )
        ports = {port["name"] for port in container["ports"]}
        assert {endpoint["port"] for endpoint in spec["endpoints"]} <= ports
    assert len(monitorings) == len(workloads)


@pytest.mark.parametrize(
    "pod",
    [
        "qwen3-4b-l4-us-central1-7d9f8b6c5d-x2x9q",
        "qwen3-4b-l4-us-central1-0",
        "qwen3-4b-l4-us-central1-12-3",
    ],
)
@pytest.mark.parametrize("name", ["gpu_duty_cycle_percent", "gpu_memory_percent"])
def test_gpus_are_shown_by_replica_set_and_region(name: str, pod: str):
    pattern = re.search(r'"pod_name", "([^"]*)"', QUERIES[name].text(EVERYTHING))
    assert pattern
    found = re.fullmatch(pattern[1], pod)
    assert found
    assert found[1] == "qwen3-4b-l4-us-central1"

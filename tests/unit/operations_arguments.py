"""Arguments of the operations components that tests share."""

from components.operations.budget import BudgetArgs
from components.operations.inference_alerts import InferenceAlertsArgs
from components.operations.inference_dashboard import InferenceDashboardArgs
from components.operations.metrics_adapter import MetricsAdapterArgs
from components.operations.notification_channels import NotificationChannelsArgs
from components.operations.pipeline_alerts import PipelineAlertsArgs
from components.operations.pipeline_dashboard import PipelineDashboardArgs

MODELS = ["llama-3.3-70b", "llama-3.1-8b", "qwen3-4b"]
ADAPTERS = ["topic-control"]
POOLS = ["llama-3-3-70b-h100", "llama-3-1-8b-l4", "qwen3-4b-l4"]
CHANNEL = "projects/acme/notificationChannels/1"
URL = "https://console.cloud.google.com/monitoring/dashboards/builder/1?project=acme"

DASHBOARD: InferenceDashboardArgs = {
    "project": "acme",
    "models": MODELS,
    "adapters": ADAPTERS,
    "pools": POOLS,
    "namespace": "inference",
}
ALERTS: InferenceAlertsArgs = {
    **DASHBOARD,
    "thresholds": {
        "latency_p90_seconds": 20,
        "latency_p99_seconds": 60.5,
        "first_token_p90_seconds": 3,
        "errors_percent": 5,
        "gateway_errors_percent": 2,
        "queue_per_replica": 10,
    },
    "model_thresholds": {"llama-3.3-70b": {"latency_p90_seconds": 45}},
    "channels": [CHANNEL],
    "dashboard_url": URL,
    "autoscaled": True,
}
PIPELINE_DASHBOARD: PipelineDashboardArgs = {
    "project": "acme",
    "pipelines": {
        "sentiment": {"copies": ["pull", "messages", "archive", "dataflow"]},
        "tags": {"copies": ["archive"], "retention_days": 1},
    },
}
PIPELINE_ALERTS: PipelineAlertsArgs = {
    **PIPELINE_DASHBOARD,
    "thresholds": {
        "backlog_age_seconds": 600,
        "copies_backlog_age_seconds": 1800,
        "retention_percent": 25,
        "failed_deliveries_percent": 10,
        "dataflow_lag_seconds": 300,
        "dataflow_freshness_seconds": 900,
        "errors_percent": 5,
        "dead_letters": 3,
    },
    "channels": [CHANNEL],
    "dashboard_url": URL,
}
CHANNELS: NotificationChannelsArgs = {
    "project": "acme",
    "project_number": "415104041262",
    "channels": {
        "oncall": {"email": "oncall@acme.com"},
        "incidents": {"pubsub_topic": "incidents"},
        "pager": {"pagerduty_secret": "pagerduty-key"},
    },
}
BUDGET: BudgetArgs = {
    "billing_account": "01A2B3-C4D5E6-F70819",
    "project_number": "415104041262",
    "monthly_usd": 1000,
    "email_channels": [CHANNEL],
}
ADAPTER: MetricsAdapterArgs = {
    "project": "acme",
    "project_number": "415104041262",
    "workload_pool": "acme.svc.id.goog",
}

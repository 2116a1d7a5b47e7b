"""Arguments of the operations components that tests share."""

from components.operations.budget import BudgetArgs
from components.operations.inference_alerts import InferenceAlertsArgs
from components.operations.inference_dashboard import InferenceDashboardArgs
from components.operations.metrics_adapter import MetricsAdapterArgs
from components.operations.notification_channels import NotificationChannelsArgs
from components.operations.pipeline_alerts import PipelineAlertsArgs
from components.operations.pipeline_dashboard import PipelineDashboardArgs
from tests.unit import examples

MODELS = ["llama-3.3-70b", "llama-3.1-8b", "qwen3-4b"]
ADAPTERS = ["topic-control"]
POOLS = ["llama-3-3-70b-h100", "llama-3-1-8b-l4", "qwen3-4b-l4"]
CHANNEL = "projects/acme/notificationChannels/1"
URL = "https://console.cloud.google.com/monitoring/dashboards/builder/1?project=acme"

DASHBOARD: InferenceDashboardArgs = examples.arguments("InferenceDashboard")
ALERTS: InferenceAlertsArgs = examples.arguments("InferenceAlerts")
PIPELINE_DASHBOARD: PipelineDashboardArgs = examples.arguments("PipelineDashboard")
PIPELINE_ALERTS: PipelineAlertsArgs = examples.arguments("PipelineAlerts")
CHANNELS: NotificationChannelsArgs = examples.arguments("NotificationChannels")
BUDGET: BudgetArgs = examples.arguments("Budget")
ADAPTER: MetricsAdapterArgs = examples.arguments("MetricsAdapter")

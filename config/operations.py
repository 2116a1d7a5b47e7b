"""Operations: who is told of what, what is aimed at, and what a month may cost."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from catalog.limits import label
from catalog.limits import operations as limits
from catalog.limits.pubsub import TOPIC
from config.fields import Settings
from config.models import ModelName
from config.services import ServiceName

ChannelName = Annotated[str, label(30, "it becomes part of the names of resources")]
Seconds = Annotated[float, Field(ge=0.001, le=2_678_400)]
Percent = Annotated[float, Field(ge=0.001, le=100)]


class Slack(Settings):
    """A channel of Slack that Cloud Monitoring's app was let in to."""

    channel: Annotated[str, limits.SLACK_CHANNEL]
    """Name of the channel, with its #, in quotes."""
    secret: Annotated[str, limits.SECRET_ID]
    """Id of a secret in the project, whose latest version is the app's token. Store it before the
    first `up`."""


class Webhook(Settings):
    """An address that is sent each incident as JSON, with basic authentication."""

    url: Annotated[str, limits.WEBHOOK]
    """Address, on the internet."""
    username: Annotated[str, limits.WEBHOOK_USER]
    """User of the basic authentication."""
    secret: Annotated[str, limits.SECRET_ID]
    """Id of a secret in the project, whose latest version is the password. Store it before the
    first `up`."""


class Channel(Settings):
    """A way to tell somebody: give exactly one."""

    email: Annotated[str, limits.EMAIL] | None = None
    """E-mail address."""
    pubsub_topic: Annotated[str, TOPIC] | None = None
    """Name of a Pub/Sub topic that is made for the notifications."""
    pagerduty_secret: Annotated[str, limits.SECRET_ID] | None = None
    """Id of a secret in the project, whose latest version is the integration key of a PagerDuty
    service. Store it before the first `up`."""
    slack: Slack | None = None
    """Channel of Slack."""
    webhook: Webhook | None = None
    """Address that is called."""


class LatencyThresholds(Settings):
    """From which times on somebody is told. What is left out is as for every model."""

    latency_p90_seconds: Seconds | None = None
    """Time of the whole answer that one in ten exceeds."""
    latency_p99_seconds: Seconds | None = None
    """Time of the whole answer that one in a hundred exceeds."""
    first_token_p90_seconds: Seconds | None = None
    """Time to the first token that one in ten exceeds."""


class Thresholds(Settings):
    """From which values on somebody is told."""

    latency_p90_seconds: Seconds = 30
    """Time of the whole answer that one in ten exceeds."""
    latency_p99_seconds: Seconds = 90
    """Time of the whole answer that one in a hundred exceeds."""
    first_token_p90_seconds: Seconds = 5
    """Time to the first token that one in ten exceeds."""
    errors_percent: Percent = 5
    """Percent of a replica set's or service's answers that are 5xx."""
    gateway_errors_percent: Percent = 2
    """Percent of a backend's requests in a region answered with 5xx."""
    queue_per_replica: float = Field(default=10, gt=0, le=1_000_000)
    """Waiting requests of one replica, on average."""
    backlog_age_seconds: Seconds = 600
    """Age of the oldest message a pipeline's service has not yet handled."""
    sinks_backlog_age_seconds: Seconds = 1800
    """Age of the oldest message that an archive, a BigQuery export or a Dataflow job has not
    yet taken; an archive takes up to its max_seconds."""
    retention_percent: float = Field(default=25, gt=0, le=99)
    """Percent of a pipeline's retention_days after which a message that waits in any of its
    subscriptions is told of, before Pub/Sub deletes it."""
    failed_deliveries_percent: Percent = 10
    """Percent of a subscription's deliveries that fail, or are not acknowledged in time."""
    dataflow_lag_seconds: Seconds = 300
    """Longest time a Dataflow job works on a message."""
    dataflow_freshness_seconds: Seconds = 900
    """Age of the data a Dataflow job works on."""
    dead_letters: int = Field(default=0, ge=0, le=1_000_000_000)
    """Messages of a pipeline that could not be handled."""


class Alerts(Settings):
    """What somebody is told of."""

    notify: Annotated[Mapping[ChannelName, Channel], limits.CHANNELS]
    """Whom to tell, by name: every alert goes to all of them."""
    thresholds: Thresholds = Thresholds()
    """From which values on, in the unit of each name."""
    models: Mapping[ModelName, LatencyThresholds] = Field(default_factory=dict)
    """Other latency thresholds for some models, by model name."""

    @property
    def has_topics(self) -> bool:
        """Whether somebody is told through Pub/Sub."""
        return any(channel.pubsub_topic is not None for channel in self.notify.values())


class Availability(Settings):
    """What share of the answers is no 5xx."""

    goal: Annotated[float, limits.GOAL]
    """The share of good requests, such as 0.995; the rest is the error budget."""


class Latency(Settings):
    """What share of the requests is fast enough."""

    goal: Annotated[float, limits.GOAL]
    """The share of good requests, such as 0.95; the rest is the error budget."""
    threshold_seconds: Annotated[float, limits.OBJECTIVE_SECONDS]
    """The time up to which a request is good."""


class ServiceObjectives(Settings):
    """Objectives of a service that answers requests; at least one."""

    availability: Availability | None = None
    """Of its answers. Leave it out for no objective."""
    latency: Latency | None = None
    """Of the whole answer. Leave it out for no objective."""


class ModelObjectives(ServiceObjectives):
    """Objectives of a model's replica sets; at least one."""

    time_to_first_token: Latency | None = None
    """Of the first token of the answer. Leave it out for no objective."""


class Slos(Settings):
    """Service level objectives, with their error budgets on a dashboard and, where there are
    alerts, somebody told of those that are spent too fast."""

    rolling_period_days: Annotated[int, limits.ROLLING_PERIOD_DAYS] = (
        limits.ROLLING_PERIOD_DAYS.default
    )
    """The days over which the goals have to be met."""
    gateway: ServiceObjectives | None = None
    """Of all requests to the gateways, whatever model they are for. Leave it out for none."""
    models: Mapping[ModelName, ModelObjectives] = Field(default_factory=dict)
    """Of what models' replicas answer, by model name. Add a model once it has answered a request:
    before, Cloud Monitoring does not know its metrics and refuses objectives on them."""
    services: Mapping[ServiceName, ServiceObjectives] = Field(default_factory=dict)
    """Of services, by their name."""


class Budget(Settings):
    """What the project may cost in a month before somebody is told. It stops nothing."""

    billing_account: Annotated[str, limits.BILLING_ACCOUNT]
    """Id of the billing account the project is billed to; it must be in USD."""
    monthly_usd: Annotated[int, limits.MONTHLY_USD]
    """Budget of a calendar month in USD."""
    thresholds_percent: Annotated[
        tuple[Annotated[int, limits.THRESHOLD_PERCENT], ...], limits.THRESHOLDS_PERCENT
    ] = limits.THRESHOLDS_PERCENT.default
    """Percents of the budget from which on somebody is told, once spent."""
    forecast_percent: Annotated[int, limits.FORECAST_PERCENT] | None = (
        limits.FORECAST_PERCENT.default
    )
    """Percent of the budget the forecast for the month's end must exceed to tell somebody; null
    for never."""

"""Operations: who is told of what, from which values on, and what a month may cost."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from config.fields import Matching, Settings, label
from config.models import ModelName

ChannelName = Annotated[str, label(30, "it becomes part of the names of resources")]
Email = Annotated[
    str,
    Matching(r"[^\s:@]+@[^\s:@]+\.[^\s:@]+", "an e-mail address", "write it like oncall@acme.com"),
]
TopicName = Annotated[
    str,
    Matching(
        "(?!goog)[A-Za-z][A-Za-z0-9._~+%-]{2,254}",
        "3 to 255 letters, digits or . _ ~ + % -, a letter first, not goog first",
        "change it",
    ),
]
SecretId = Annotated[
    str,
    Matching(
        "[A-Za-z0-9_-]{1,255}",
        "the id of a secret in Secret Manager: letters, digits, underscores or hyphens",
        "store the key there: it must not stand in a stack file",
    ),
]
BillingAccount = Annotated[
    str,
    Matching(
        "[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}",
        "the id of a billing account: three groups of six digits or letters A to F",
        "`gcloud billing accounts list` shows the ids",
    ),
]


class Channel(Settings):
    """A way to tell somebody: give exactly one."""

    email: Email | None = Field(default=None, description="E-mail address.")
    pubsub_topic: TopicName | None = Field(
        default=None, description="Name of a Pub/Sub topic that is made for the notifications."
    )
    pagerduty_secret: SecretId | None = Field(
        default=None,
        description="Id of a secret in the project, whose latest version is the integration key of"
        " a PagerDuty service. Store it before the first `up`.",
    )


class LatencyThresholds(Settings):
    """From which times on somebody is told. What is left out is as for every model."""

    latency_p90_seconds: float | None = Field(
        default=None,
        gt=0,
        le=2_678_400,
        description="Time of the whole answer that one in ten exceeds.",
    )
    latency_p99_seconds: float | None = Field(
        default=None,
        gt=0,
        le=2_678_400,
        description="Time of the whole answer that one in a hundred exceeds.",
    )
    first_token_p90_seconds: float | None = Field(
        default=None,
        gt=0,
        le=2_678_400,
        description="Time to the first token that one in ten exceeds.",
    )


class Thresholds(Settings):
    """From which values on somebody is told."""

    latency_p90_seconds: float = Field(
        default=30,
        gt=0,
        le=2_678_400,
        description="Time of the whole answer that one in ten exceeds.",
    )
    latency_p99_seconds: float = Field(
        default=90,
        gt=0,
        le=2_678_400,
        description="Time of the whole answer that one in a hundred exceeds.",
    )
    first_token_p90_seconds: float = Field(
        default=5,
        gt=0,
        le=2_678_400,
        description="Time to the first token that one in ten exceeds.",
    )
    errors_percent: float = Field(
        default=5,
        gt=0,
        le=100,
        description="Percent of a replica set's or service's answers that are 5xx.",
    )
    gateway_errors_percent: float = Field(
        default=2,
        gt=0,
        le=100,
        description="Percent of a backend's requests in a region answered with 5xx.",
    )
    queue_per_replica: float = Field(
        default=10,
        gt=0,
        le=1_000_000,
        description="Waiting requests of one replica, on average.",
    )
    backlog_age_seconds: float = Field(
        default=600,
        gt=0,
        le=2_678_400,
        description="Age of the oldest message a pipeline's service has not yet handled.",
    )
    sinks_backlog_age_seconds: float = Field(
        default=1800,
        gt=0,
        le=2_678_400,
        description="Age of the oldest message that an archive, a BigQuery export or a Dataflow job"
        " has not yet taken; an archive takes up to its max_seconds.",
    )
    retention_percent: float = Field(
        default=25,
        gt=0,
        le=99,
        description="Percent of a pipeline's retention_days after which a message that waits in any"
        " of its subscriptions is told of, before Pub/Sub deletes it.",
    )
    failed_deliveries_percent: float = Field(
        default=10,
        gt=0,
        le=100,
        description="Percent of a subscription's deliveries that fail, or are not acknowledged in"
        " time.",
    )
    dataflow_lag_seconds: float = Field(
        default=300,
        gt=0,
        le=2_678_400,
        description="Longest time a Dataflow job works on a message.",
    )
    dataflow_freshness_seconds: float = Field(
        default=900,
        gt=0,
        le=2_678_400,
        description="Age of the data a Dataflow job works on.",
    )
    dead_letters: int = Field(
        default=0,
        ge=0,
        le=1_000_000_000,
        description="Messages of a pipeline that could not be handled.",
    )


class Alerts(Settings):
    """What somebody is told of."""

    notify: Mapping[ChannelName, Channel] = Field(
        min_length=1, description="Whom to tell, by name: every alert goes to all of them."
    )
    thresholds: Thresholds = Field(
        default=Thresholds(), description="From which values on, in the unit of each name."
    )
    models: Mapping[ModelName, LatencyThresholds] = Field(
        default_factory=dict,
        description="Other latency thresholds for some models, by model name.",
    )

    @property
    def has_topics(self) -> bool:
        """Whether somebody is told through Pub/Sub."""
        return any(channel.pubsub_topic is not None for channel in self.notify.values())


class Budget(Settings):
    """What the project may cost in a month before somebody is told. It stops nothing."""

    billing_account: BillingAccount = Field(
        description="Id of the billing account the project is billed to; it must be in USD."
    )
    monthly_usd: int = Field(
        ge=1,
        le=1_000_000_000,
        description="Budget of a calendar month in USD.",
    )
    thresholds_percent: tuple[Annotated[int, Field(ge=1, le=100)], ...] = Field(
        default=(50, 80, 100),
        min_length=1,
        description="Percents of the budget from which on somebody is told, once spent.",
    )
    forecast_percent: int | None = Field(
        default=100,
        ge=1,
        le=1000,
        description="Percent of the budget the forecast for the month's end must exceed to tell"
        " somebody; null for never.",
    )

"""Operations: dashboards, alerts with their channels, and the budget."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

import pulumi

from catalog.conventions import PLATFORM, team_namespace
from components.names import dns_label
from components.operations.alert_policies import alerts_of, thresholds_of
from components.operations.budget import Budget, BudgetArgs
from components.operations.inference_alerts import InferenceAlerts
from components.operations.inference_dashboard import InferenceDashboard
from components.operations.notification_channels import Channel, NotificationChannels
from components.operations.pipeline_alerts import PipelineAlerts
from components.operations.pipeline_dashboard import PipelineDashboard
from components.operations.service_level_objectives import (
    Objective,
    ServiceLevelObjectives,
    ServiceLevelObjectivesArgs,
)
from components.operations.vertex_alerts import VertexAlerts
from components.operations.vertex_dashboard import VertexDashboard
from components.operations.watched_pipelines import WatchedPipeline
from components.ready import after
from components.vertex.vertex_endpoint import VertexEndpoint
from config.models import Model
from config.operations import Alerts, ServiceObjectives, Slos
from config.pipelines import Pipeline
from config.platform import Platform
from stacks.arguments import set_fields, to_args
from stacks.backends import backend_name, server_name
from stacks.foundation import Foundation


@dataclass(frozen=True)
class Operations:
    """What was made."""

    dashboards: Mapping[str, pulumi.Output[str]]
    """Addresses by name."""
    channels: Sequence[pulumi.Output[str]]
    """Full names of the notification channels."""


def build_operations(
    platform: Platform, foundation: Foundation, vertex: Mapping[str, VertexEndpoint]
) -> Operations:
    """Make what shows and tells how the platform is."""
    return _OperationsBuilder(platform, foundation, vertex).build()


@dataclass(frozen=True)
class _OperationsBuilder:
    platform: Platform
    foundation: Foundation
    vertex: Mapping[str, VertexEndpoint]

    @property
    def project(self) -> pulumi.Output[str]:
        return self.foundation.services.project_for("monitoring")

    def build(self) -> Operations:
        alerts = self.platform.alerts
        channels = None if alerts is None else self._channels(alerts)
        dashboards = {"inference": self._inference(alerts, channels)}
        dashboards |= {f"team {name}": self._team(name) for name in self._serving_teams}
        if self.platform.pipelines:
            dashboards["pipelines"] = self._pipelines(alerts, channels)
        if self.vertex:
            dashboards["vertex"] = self._vertex(alerts, channels)
        if self.platform.slos is not None:
            dashboards["objectives"] = self._objectives(self.platform.slos, channels)
        self._budget(channels)
        return Operations(dashboards, [] if channels is None else channels.channel_names)

    def _channels(self, alerts: Alerts) -> NotificationChannels:
        services = self.foundation.services
        apis = ["monitoring", "secretmanager"]
        if alerts.has_topics:
            apis.append("pubsub")
        return NotificationChannels(
            PLATFORM,
            {
                "project": services.project_for(*apis),
                "project_number": services.project_number,
                "channels": {name: to_args(Channel, each) for name, each in alerts.notify.items()},
                "regions": list(self.platform.regions),
            },
            self.foundation.google,
        )

    def _inference(
        self, alerts: Alerts | None, channels: NotificationChannels | None
    ) -> pulumi.Output[str]:
        platform = self.platform
        shown = _shown(platform.models)
        url = InferenceDashboard(
            PLATFORM,
            {
                "project": self.project,
                **shown,
                "namespaces": platform.namespaces,
            },
            self.foundation.google,
        ).url
        if alerts is not None and channels is not None:
            InferenceAlerts(
                PLATFORM,
                {
                    "project": self.project,
                    **shown,
                    "pools": _pools(platform.models, idle=False),
                    "namespaces": platform.namespaces,
                    "thresholds": _thresholds(alerts, "inference"),
                    "model_thresholds": {
                        name: set_fields(own) for name, own in alerts.models.items()
                    },
                    "channels": channels.channel_names,
                    "dashboard_url": url,
                    "autoscaled": any(map(platform.autoscales_in, platform.regions)),
                },
                self.foundation.google,
            )
        return url

    @property
    def _serving_teams(self) -> Sequence[str]:
        teams = {model.team for model in self.platform.models.values()}
        return [name for name in self.platform.teams if name in teams]

    def _team(self, team: str) -> pulumi.Output[str]:
        models = {name: each for name, each in self.platform.models.items() if each.team == team}
        return InferenceDashboard(
            f"{PLATFORM}-{team}",
            {
                "project": self.project,
                **_shown(models),
                "namespaces": [team_namespace(team)],
            },
            self.foundation.google,
        ).url

    def _pipelines(
        self, alerts: Alerts | None, channels: NotificationChannels | None
    ) -> pulumi.Output[str]:
        pipelines = {name: _watched(each) for name, each in self.platform.pipelines.items()}
        url = PipelineDashboard(
            PLATFORM, {"project": self.project, "pipelines": pipelines}, self.foundation.google
        ).url
        if alerts is not None and channels is not None:
            PipelineAlerts(
                f"{PLATFORM}-pipelines",
                {
                    "project": self.project,
                    "pipelines": pipelines,
                    "thresholds": _thresholds(alerts, "serverless"),
                    "channels": channels.channel_names,
                    "dashboard_url": url,
                },
                self.foundation.google,
            )
        return url

    def _vertex(
        self, alerts: Alerts | None, channels: NotificationChannels | None
    ) -> pulumi.Output[str]:
        ids = {name: endpoint.endpoint_id for name, endpoint in self.vertex.items()}
        url = VertexDashboard(
            PLATFORM, {"project": self.project, "endpoint_ids": ids}, self.foundation.google
        ).url
        if alerts is not None and channels is not None:
            VertexAlerts(
                f"{PLATFORM}-vertex",
                {
                    "project": self.project,
                    "endpoint_ids": ids,
                    "thresholds": _thresholds(alerts, "vertex"),
                    "channels": channels.channel_names,
                    "dashboard_url": url,
                },
                self.foundation.google,
            )
        return url

    def _objectives(self, slos: Slos, channels: NotificationChannels | None) -> pulumi.Output[str]:
        args: ServiceLevelObjectivesArgs = {
            "project": self.project,
            "models": {
                name: {
                    "servers": self._servers(name),
                    "objectives": _given_objectives(objectives),
                }
                for name, objectives in slos.models.items()
            },
            "namespaces": self.platform.namespaces,
            "services": {
                name: _given_objectives(objectives) for name, objectives in slos.services.items()
            },
            "rolling_period_days": slos.rolling_period_days,
            "channels": [] if channels is None else channels.channel_names,
        }
        if slos.gateway is not None:
            args["gateway"] = _given_objectives(slos.gateway)
        return ServiceLevelObjectives(f"{PLATFORM}-slos", args, self.foundation.google).url

    def _servers(self, name: str) -> Sequence[str]:
        """Return the names of what is scraped of a model's servers in all regions."""
        return [
            dns_label(server_name(name, replica_set, region))
            for region in self.platform.regions
            if self.platform.models[name].is_in(region)
            for replica_set in self.platform.models[name].replica_sets
        ]

    def _budget(self, channels: NotificationChannels | None) -> None:
        budget, services = self.platform.budget, self.foundation.services
        if budget is None:
            return
        number = after(services.project_number, services.project_for("billingbudgets"))
        Budget(
            f"{PLATFORM}-{self.platform.environment}",
            to_args(
                BudgetArgs,
                budget,
                project_number=number,
                # Null is a value here: never.
                forecast_percent=budget.forecast_percent,
                email_channels=[] if channels is None else channels.email_channel_names,
            ),
            self.foundation.google,
        )


class _Shown(TypedDict):
    models: Sequence[str]
    adapters: Sequence[str]
    pools: Sequence[str]


def _shown(models: Mapping[str, Model]) -> _Shown:
    """Return what dashboards and alerts of models are about."""
    return {
        "models": list(models),
        "adapters": [each.name for model in models.values() for each in model.adapters],
        "pools": _pools(models, idle=True),
    }


def _pools(models: Mapping[str, Model], *, idle: bool) -> Sequence[str]:
    """Return the pools, without those that may have no replica unless `idle`."""
    return [
        backend_name(name, replica_set)
        for name, model in models.items()
        for replica_set in model.replica_sets
        if idle or not replica_set.goes_to_zero
    ]


def _watched(pipeline: Pipeline) -> WatchedPipeline:
    has = {
        "pull": pipeline.exactly_once_pull,
        "messages": pipeline.bigquery_export is not None,
        "archive": pipeline.archive is not None,
        "dataflow": pipeline.dataflow is not None,
    }
    return {
        "sinks": [sink for sink, there in has.items() if there],
        "retention_days": pipeline.retention_days,
    }


def _given_objectives(objectives: ServiceObjectives) -> Mapping[str, Objective]:
    return set_fields(objectives)


def _thresholds(alerts: Alerts, dashboard: str) -> Mapping[str, float]:
    """Return the thresholds of the alerts on what a dashboard shows."""
    wanted = thresholds_of(alerts_of(dashboard))
    return {name: value for name, value in set_fields(alerts.thresholds).items() if name in wanted}

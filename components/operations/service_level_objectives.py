"""ServiceLevelObjectives: how much of what is asked has to be answered, and how fast.

Owns the objectives, the services of Cloud Monitoring they belong to, the alerts on their error
budgets and their dashboard. Does not own the channels (NotificationChannels) nor the metrics.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import Choice, Entries
from catalog.limits import operations as limits
from catalog.metrics import BURN_RATES, INDICATORS, BurnRate, Indicator
from catalog.problems import KeyPath, shown_path
from components.names import label_of
from components.operations.alert_policies import AlertTarget, alert_policy
from components.operations.dashboard_layout import console_url, layout_json, line_chart
from components.operations.matchers import NAME
from components.validation import Problems, component_type, register

_BUDGET: Final = 'select_slo_budget_fraction("{0}")'
_BURN_RATE: Final = 'select_slo_burn_rate("{0}", "{1}s")'
_HOUR: Final = 3600


class Objective(TypedDict):
    """What share of the requests has to be good."""

    goal: Annotated[float, limits.GOAL]
    """The share, such as 0.995."""
    threshold_seconds: NotRequired[Annotated[float, limits.OBJECTIVE_SECONDS]]
    """The time from which on a request is bad; of latency and time_to_first_token."""


Objectives = Annotated[Mapping[str, Objective], Entries("an objective")]


class ModelObjectives(TypedDict):
    """Objectives of a model."""

    servers: Annotated[Sequence[Annotated[str, NAME]], Entries("a name")]
    """Names of the model's servers: of the PodMonitoring of each."""
    objectives: Objectives
    """By name: availability, latency (of the whole answer), time_to_first_token."""


class ServiceLevelObjectivesArgs(TypedDict):
    """Arguments of `ServiceLevelObjectives`."""

    project: pulumi.Input[str]
    """Project id."""
    gateway: NotRequired[Objectives]
    """Of the load balancers of the project's gateways together: availability, latency."""
    models: NotRequired[Mapping[Annotated[str, NAME], ModelObjectives]]
    """By the model's name, as clients send it; each has answered a request before."""
    namespaces: NotRequired[Sequence[Annotated[str, NAME]]]
    """Kubernetes namespaces of the models, the same in every cluster."""
    services: NotRequired[Mapping[Annotated[str, NAME], Objectives]]
    """By the name of a Cloud Run service: availability, latency."""
    rolling_period_days: NotRequired[Annotated[int, limits.ROLLING_PERIOD_DAYS]]
    """The days over which the goals have to be met."""
    channels: NotRequired[Sequence[pulumi.Input[str]]]
    """Full names of the notification channels; without any nobody is told."""


@dataclass(frozen=True)
class _Measured:
    """A service of Cloud Monitoring: what it is of, and what fills the filters of indicators."""

    of: str
    name: str
    objectives: Mapping[str, Objective]
    values: Mapping[str, Sequence[str]]

    @property
    def title(self) -> str:
        return f"{self.of} {self.name}".strip()

    def indicator(self, objective: str) -> Indicator:
        return INDICATORS[f"{self.of}_{objective}"]


def validate_service_level_objectives(args: ServiceLevelObjectivesArgs) -> Problems:
    """Check the plain values of the arguments."""
    problems = Problems.of(ServiceLevelObjectivesArgs, args)
    if args.get("models") and not args.get("namespaces"):
        problems.add("namespaces", "found none; allowed: the models' namespaces; give them")
    if "gateway" in args:
        _check(problems, ("gateway",), "gateway", args["gateway"])
    for name, model in args.get("models", {}).items():
        _check(problems, ("models", name, "objectives"), "model", model["objectives"])
    for name, objectives in args.get("services", {}).items():
        _check(problems, ("services", name), "service", objectives)
    return problems


def _check(problems: Problems, path: KeyPath, of: str, objectives: Mapping[str, Objective]) -> None:
    for name, objective in objectives.items():
        indicator = INDICATORS.get(f"{of}_{name}")
        threshold = shown_path((*path, name, "threshold_seconds"))
        if indicator is None:
            problems.check_limit(Choice(objectives_of(of)), name, *path, name)
        elif indicator.bad and "threshold_seconds" in objective:
            problems.add(
                threshold,
                f"found {objective['threshold_seconds']}; allowed: nothing, answers are counted by"
                " their status; remove it",
            )
        elif not indicator.bad and "threshold_seconds" not in objective:
            problems.add(threshold, "found none; allowed: seconds; give it")


def objectives_of(kind: str) -> Sequence[str]:
    """Return the names of the objectives that a gateway, model or service may have."""
    prefix = f"{kind}_"
    return [each.removeprefix(prefix) for each in INDICATORS if each.startswith(prefix)]


class ServiceLevelObjectives(pulumi.ComponentResource):
    """Makes SLOs of the gateway, of models and of Cloud Run services, each on requests counted.

    An error budget that is spent too fast tells somebody, by the burn rates of the catalog
    (`catalog/metrics.yaml`): each over a long time, and still over a short one. A burn rate that a
    goal's budget never reaches has no policy. Cloud Monitoring refuses an SLO on a metric that was
    never written, which a model's are before its first answer.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/stackdriver/docs/solutions/slo-monitoring
    """

    url: pulumi.Output[str]
    """Address of the error budgets' dashboard in the Google Cloud console."""
    slo_names: Mapping[str, pulumi.Output[str]]
    """By kind, name and objective, such as `model-qwen3-4b-latency`:
    `projects/<project>/services/<id>/serviceLevelObjectives/<id>`."""
    policy_names: Mapping[str, pulumi.Output[str]]
    """By the objective's key and the burn rate's name:
    `projects/<project>/alertPolicies/<number>`."""

    def __init__(
        self,
        name: str,
        args: ServiceLevelObjectivesArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(component_type(ServiceLevelObjectives), name, {}, opts)
        validate_service_level_objectives(args).raise_if_any(f"ServiceLevelObjectives {name}")
        measured = {label_of(each.of, each.name): each for each in _measured(args)}
        names = {key: self._slos(name, key, each, args) for key, each in measured.items()}
        dashboard = gcp.monitoring.Dashboard(
            f"{name}-dashboard",
            project=args["project"],
            dashboard_json=pulumi.Output.all(
                **{key: pulumi.Output.all(**slos) for key, slos in names.items()}
            ).apply(lambda found: _dashboard(name, measured, found)),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.url = console_url(dashboard.id, args["project"])
        self.slo_names = {
            f"{key}-{_dashed(objective)}": slo
            for key, slos in names.items()
            for objective, slo in slos.items()
        }
        target: AlertTarget = {
            "project": args["project"],
            "channels": args.get("channels", ()),
            "dashboard_url": self.url,
        }
        self.policy_names = {
            f"{key}-{_dashed(objective)}-{rate}": self._policy(
                f"{name}-{key}-{_dashed(objective)}-{rate}",
                f"{each.title}: {objective.replace('_', ' ')}, error budget burns",
                burn_rate,
                names[key][objective],
                target,
            )
            for key, each in measured.items()
            for objective, settings in each.objectives.items()
            for rate, burn_rate in BURN_RATES.items()
            if target["channels"] and burn_rate.may_fire(settings["goal"])
        }
        register(self)

    def _slos(
        self, name: str, key: str, measured: _Measured, args: ServiceLevelObjectivesArgs
    ) -> Mapping[str, pulumi.Output[str]]:
        """Make a service with its objectives; gives their full names."""
        child = pulumi.ResourceOptions(parent=self)
        service = gcp.monitoring.CustomService(
            f"{name}-{key}",
            project=args["project"],
            service_id=f"{name}-{key}",
            display_name=f"{name}: {measured.title}",
            opts=child,
        )
        days = args.get("rolling_period_days", limits.ROLLING_PERIOD_DAYS.default)
        return {
            objective: gcp.monitoring.Slo(
                f"{name}-{key}-{_dashed(objective)}",
                project=args["project"],
                service=service.service_id,
                slo_id=_dashed(objective),
                display_name=_title(objective, settings, days),
                goal=settings["goal"],
                rolling_period_days=days,
                request_based_sli=_sli(measured.indicator(objective), measured.values, settings),
                opts=child,
            ).name
            for objective, settings in measured.objectives.items()
        }

    def _policy(
        self,
        resource_name: str,
        title: str,
        burn_rate: BurnRate,
        slo: pulumi.Output[str],
        target: AlertTarget,
    ) -> pulumi.Output[str]:
        conditions: list[gcp.monitoring.AlertPolicyConditionArgsDict] = [
            {
                "display_name": f"Burn rate of the last {seconds // 60} minutes",
                "condition_threshold": {
                    "filter": pulumi.Output.format(_BURN_RATE, slo, seconds),
                    "comparison": "COMPARISON_GT",
                    "threshold_value": burn_rate.rate,
                    "duration": "0s",
                    "trigger": {"count": 1},
                },
            }
            for seconds in (burn_rate.hours * _HOUR, burn_rate.minutes * 60)
        ]
        return alert_policy(
            resource_name,
            f"{title} {burn_rate.rate:g} times too fast",
            burn_rate.severity,
            conditions,
            burn_rate.runbook,
            target,
            self,
        ).name


def _measured(args: ServiceLevelObjectivesArgs) -> Iterator[_Measured]:
    if "gateway" in args:
        yield _Measured("gateway", "", args["gateway"], {})
    for name, model in args.get("models", {}).items():
        values = {
            "model": [name],
            "servers": model["servers"],
            "namespace": args.get("namespaces", ()),
        }
        yield _Measured("model", name, model["objectives"], values)
    for name, objectives in args.get("services", {}).items():
        yield _Measured("service", name, objectives, {"service": [name]})


def _sli(
    indicator: Indicator, values: Mapping[str, Sequence[str]], objective: Objective
) -> gcp.monitoring.SloRequestBasedSliArgsDict:
    total = indicator.text(values)
    if indicator.bad:
        bad = f"{total} AND {indicator.bad}"
        return {"good_total_ratio": {"bad_service_filter": bad, "total_service_filter": total}}
    most = objective.get("threshold_seconds", 0.0) * indicator.per_second
    return {"distribution_cut": {"distribution_filter": total, "range": {"max": most}}}


def _title(name: str, objective: Objective, days: int) -> str:
    goal = f"{objective['goal'] * 100:.6g} % {name.replace('_', ' ')}"
    within = objective.get("threshold_seconds")
    return f"{goal}{'' if within is None else f' within {within:g} s'} in {days} days"


def _dashed(objective: str) -> str:
    return objective.replace("_", "-")


def _dashboard(
    name: str, measured: Mapping[str, _Measured], names: Mapping[str, Mapping[str, str]]
) -> str:
    aggregation = {"alignmentPeriod": "300s", "perSeriesAligner": "ALIGN_MEAN"}

    def chart(key: str, title: str, unit: str, selector: str) -> dict[str, object]:
        lines = [
            (
                {
                    "timeSeriesFilter": {
                        "filter": selector.format(slo, _HOUR),
                        "aggregation": aggregation,
                    }
                },
                objective.replace("_", " "),
            )
            for objective, slo in names[key].items()
        ]
        return line_chart(title, unit, lines)

    sections = [
        (
            each.title,
            [
                chart(key, "Error budget left", "10^2.%", _BUDGET),
                chart(key, "Burn rate of the last hour", "1", _BURN_RATE),
            ],
        )
        for key, each in measured.items()
    ]
    return layout_json(f"{name}: objectives", sections)

"""ModelRetraining: watches a pipeline's predictions, trains its model again and releases that.

Owns what looks and decides, the topic of alerts and schedules, the bucket of versions, the table of
labels, and whom training runs act as. Does not own the pipeline that is watched, nor runs of Vertex
AI and versions in the Model Registry, which the service makes.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import training as limits
from catalog.limits.images import IMAGE
from components.data.lake_bucket import LakeBucket
from components.data.table_member import table_member
from components.data.warehouse import Warehouse
from components.data.warehouse_arguments import dataset_id
from components.log_alert import log_alert
from components.names import dns_label
from components.operations.notification_channels import topic_channel
from components.ready import after
from components.serverless.pubsub_cloud_run_pipeline import PubSubCloudRunPipeline
from components.service_accounts import account_id
from components.validation import Problems, component_type, register

_LABELS = "labels"
_DRIFT, _FAILED = ("drift", "quality"), ("training_failed",)
"""What the service writes into the field `event` of its log."""
_KEPT_DAYS = 30
_BEGINS = (
    "aiplatform.models.update",
    "aiplatform.pipelineJobs.create",
    "aiplatform.pipelineJobs.get",
)


class ModelRetrainingArgs(TypedDict):
    """Arguments of `ModelRetraining`."""

    project: pulumi.Input[str]
    """Id of the project; the APIs of Vertex AI and Cloud Scheduler are on."""
    project_number: pulumi.Input[str]
    """Number of the project."""
    region: str
    """Region of everything."""
    image: Annotated[pulumi.Input[str], IMAGE]
    """Image of services/sentiment_trainer, or one that takes the same messages and variables. Its
    steps run it too."""
    pubsub_service_agent: pulumi.Input[str]
    """Email of the project's Pub/Sub service agent."""
    watched_table: pulumi.Input[str]
    """`<project>.<dataset>.<table>` of the predictions."""
    watched_account: pulumi.Input[str]
    """Email of the account that predicts: it reads what is released."""
    channels: NotRequired[Sequence[pulumi.Input[str]]]
    """Full names of notification channels of those who are told too."""
    labellers: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Who may write labels, by any short name, such as `group:support@acme.com`."""
    check_schedule: NotRequired[Annotated[str, limits.CHECK_SCHEDULE]]
    """When predictions and canaries are looked at."""
    retrain_schedule: NotRequired[Annotated[str, limits.RETRAIN_SCHEDULE]]
    """When a run begins without drift too."""
    drift_threshold: NotRequired[Annotated[float, limits.DRIFT_THRESHOLD]]
    """Population stability index beyond which there is drift."""
    canary_percent: NotRequired[Annotated[int, limits.CANARY_PERCENT]]
    """Share of the messages that a new version gets first."""
    canary_hours: NotRequired[Annotated[int, limits.CANARY_HOURS]]
    """How long a canary waits for labels; then it is rolled back."""
    cooldown_hours: NotRequired[Annotated[int, limits.COOLDOWN_HOURS]]
    """How long after a run no alert begins another one."""
    labels_days: NotRequired[Annotated[int, limits.LABELS_DAYS]]
    """How long labels are kept and learned."""
    deletion_protection: NotRequired[bool]
    """Whether what holds data is protected from deletion; default true."""


def model_store(project: str, name: str) -> str:
    """Return the address of the bucket of versions, which the watched service is told before."""
    return f"gs://{project}-{name}-models"


class ModelRetraining(pulumi.ComponentResource):
    """The loop of a model: labels and predictions in, the next version out.

    A topic takes what begins something: the two schedules, alerts on drift, and messages of people
    (`gcloud pubsub topics publish <name>-training --attribute=action=retrain`). Its service looks,
    begins one run of Vertex AI's pipelines at a time, and judges the canary by what people label.
    Runs act as an account of their own, which can neither call nor change the watched service.
    Versions are in the bucket `<project>-<name>-models` and in the Model Registry, labels in the
    table `<name>_labels.labels`, and what was found and done in the service's results.

    An alert on drift is told at most once an hour, and begins a run only where none was lately.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/vertex-ai/docs/pipelines/introduction
    https://cloud.google.com/logging/docs/alerting/log-based-alerts
    """

    topic_id: pulumi.Output[str]
    """Waits until alerts and schedules come through."""
    bucket_name: pulumi.Output[str]
    labels_table: pulumi.Output[str]
    """`<project>.<dataset>.<table>`"""
    findings_table: pulumi.Output[str]
    """`<project>.<dataset>.<table>` of what was found and done."""
    training_service_account: pulumi.Output[str]
    """Email of the account that runs act as."""

    def __init__(
        self, name: str, args: ModelRetrainingArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(ModelRetraining), name, {}, opts)
        Problems.of(ModelRetrainingArgs, args).raise_if_any(f"ModelRetraining {name}")
        self._name = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        steps = gcp.serviceaccount.Account(
            f"{name}-steps",
            project=args["project"],
            account_id=account_id(name, "steps"),
            display_name=f"Training {name}: runs of the pipeline",
            opts=self._child,
        )
        bucket, labels = self._bucket(), self._labels()
        service = self._service(bucket, labels, steps)
        grants = self._grants(bucket, labels, service, steps)
        parts = [*grants, *self._alerts(service.topic_id), *self._schedules(service.topic_id)]
        self.topic_id = after(service.topic_id, *[each.id for each in parts])
        self.bucket_name = bucket
        self.labels_table = labels
        self.findings_table = service.results_table
        self.training_service_account = steps.email
        register(self)

    def _bucket(self) -> pulumi.Output[str]:
        return LakeBucket(
            f"{self._name}-models",
            {
                "project": self._args["project"],
                "region": self._args["region"],
                "versioning": True,
                "old_versions_days": _KEPT_DAYS,
                "readers": {"watched": _member(self._args["watched_account"])},
                "deletion_protection": self._args.get("deletion_protection", True),
            },
            self._child,
        ).bucket_name

    def _labels(self) -> pulumi.Output[str]:
        warehouse = Warehouse(
            f"{self._name}-{_LABELS}",
            {
                "project": self._args["project"],
                "region": self._args["region"],
                "tables": {
                    _LABELS: {
                        "fields": [
                            {"name": "message_id", "type": "STRING"},
                            {"name": "text", "type": "STRING", "mode": "REQUIRED"},
                            {"name": "label", "type": "STRING", "mode": "REQUIRED"},
                            {"name": "labelled_at", "type": "TIMESTAMP", "mode": "REQUIRED"},
                        ],
                        "partition_field": "labelled_at",
                        "partition_expiration_days": self._labels_days,
                        "writers": self._args.get("labellers", {}),
                    }
                },
                "deletion_protection": self._args.get("deletion_protection", True),
            },
            self._child,
        )
        return warehouse.table_ids[_LABELS]

    @property
    def _labels_days(self) -> int:
        return self._args.get("labels_days", limits.LABELS_DAYS.default)

    def _service(
        self,
        bucket: pulumi.Output[str],
        labels: pulumi.Output[str],
        steps: gcp.serviceaccount.Account,
    ) -> PubSubCloudRunPipeline:
        args = self._args
        numbers = {
            "DRIFT_THRESHOLD": args.get("drift_threshold", limits.DRIFT_THRESHOLD.default),
            "CANARY_PERCENT": args.get("canary_percent", limits.CANARY_PERCENT.default),
            "CANARY_HOURS": args.get("canary_hours", limits.CANARY_HOURS.default),
            "COOLDOWN_HOURS": args.get("cooldown_hours", limits.COOLDOWN_HOURS.default),
            "LABELS_DAYS": self._labels_days,
        }
        return PubSubCloudRunPipeline(
            _service(self._name),
            {
                "project": args["project"],
                "region": args["region"],
                "image": args["image"],
                "pubsub_service_agent": args["pubsub_service_agent"],
                "max_instances": 1,
                "environment": {
                    **{key: str(value) for key, value in numbers.items()},
                    "LABELS_TABLE": pulumi.Output.concat("bq://", labels),
                    "MODEL_STORE": pulumi.Output.concat("gs://", bucket),
                    "REGION": args["region"],
                    "REGISTRY_MODEL": self._name,
                    "TRAINING_ACCOUNT": steps.email,
                    "TRAINING_IMAGE": args["image"],
                    "WATCHED_TABLE": pulumi.Output.concat("bq://", args["watched_table"]),
                },
                "deletion_protection": args.get("deletion_protection", True),
            },
            self._child,
        )

    def _grants(
        self,
        bucket: pulumi.Output[str],
        labels: pulumi.Output[str],
        service: PubSubCloudRunPipeline,
        steps: gcp.serviceaccount.Account,
    ) -> Sequence[pulumi.CustomResource]:
        name, project = self._name, self._args["project"]
        watches, trains = _member(service.runtime_service_account), _member(steps.email)
        begins = gcp.projects.IAMCustomRole(
            f"{name}-begins",
            project=project,
            role_id=dns_label(f"{name}-begins").replace("-", "_"),
            title=f"Begin runs of {name}",
            permissions=list(_BEGINS),
            opts=self._child,
        )
        return [
            self._reads(
                "watch-predictions", pulumi.Output.from_input(self._args["watched_table"]), watches
            ),
            self._reads("watch-labels", labels, watches),
            self._reads("train-labels", labels, trains),
            *(
                gcp.projects.IAMMember(
                    f"{name}-{who}",
                    project=project,
                    role=role,
                    member=member,
                    opts=self._child,
                )
                for who, role, member in (
                    ("watch-queries", "roles/bigquery.jobUser", watches),
                    ("watch-begins", begins.id, watches),
                    ("train-queries", "roles/bigquery.jobUser", trains),
                    # What Vertex AI asks of the account of a run:
                    # https://cloud.google.com/vertex-ai/docs/pipelines/configure-project
                    ("train-runs", "roles/aiplatform.user", trains),
                )
            ),
            *(
                gcp.storage.BucketIAMMember(
                    f"{name}-{who}-versions",
                    bucket=bucket,
                    role="roles/storage.objectUser",
                    member=member,
                    opts=self._child,
                )
                for who, member in (("watch", watches), ("train", trains))
            ),
            gcp.serviceaccount.IAMMember(
                f"{name}-watch-acts",
                service_account_id=steps.name,
                role="roles/iam.serviceAccountUser",
                member=watches,
                opts=self._child,
            ),
        ]

    def _reads(
        self, who: str, table: pulumi.Output[str], member: pulumi.Output[str]
    ) -> pulumi.CustomResource:
        return table_member(
            f"{self._name}-{who}", table, "roles/bigquery.dataViewer", member, self._child
        )

    def _alerts(self, topic: pulumi.Output[str]) -> Sequence[pulumi.CustomResource]:
        """Make an alert that begins a run and one that tells of a failed one."""
        told = list(self._args.get("channels", ()))
        retrain = topic_channel(
            f"{self._name}-retrain",
            self._args["project"],
            self._args["project_number"],
            topic,
            _service(self._name),
            self,
        )
        return [
            self._alert("drift", "the model has drifted", _DRIFT, [retrain, *told]),
            self._alert("failed", "a training run failed", _FAILED, told),
        ]

    def _alert(
        self,
        key: str,
        title: str,
        events: Sequence[str],
        channels: Sequence[pulumi.Input[str]],
    ) -> gcp.monitoring.AlertPolicy:
        found = " OR ".join(f'"{each}"' for each in events)
        return log_alert(
            f"{self._name}-{key}",
            project=self._args["project"],
            title=f"{self._name}: {title}",
            found_by='resource.type="cloud_run_revision" AND '
            f'resource.labels.service_name="{_service(self._name)}-service" AND '
            f"jsonPayload.event=({found})",
            advice=f"{title}: {dataset_id(_service(self._name))}_results.results says what "
            "was found. See docs/tasks/retrain-a-model.md.",
            channels=channels,
            parent=self,
        )

    def _schedules(self, topic: pulumi.Output[str]) -> Sequence[pulumi.CustomResource]:
        args = self._args
        schedules = {
            "check": args.get("check_schedule", limits.CHECK_SCHEDULE.default),
            "retrain": args.get("retrain_schedule", limits.RETRAIN_SCHEDULE.default),
        }
        return [
            gcp.cloudscheduler.Job(
                f"{self._name}-{action}",
                name=f"{_service(self._name)}-{action}",
                project=args["project"],
                region=args["region"],
                schedule=schedule,
                time_zone="Etc/UTC",
                pubsub_target={"topic_name": topic, "attributes": {"action": action}},
                opts=self._child,
            )
            for action, schedule in schedules.items()
        ]


def _service(name: str) -> str:
    return f"{name}-training"


def _member(email: pulumi.Input[str]) -> pulumi.Output[str]:
    return pulumi.Output.concat("serviceAccount:", email)

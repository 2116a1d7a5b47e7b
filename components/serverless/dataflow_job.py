"""DataflowJob: a streaming job that reads a subscription and writes a table, from a flex template.

Owns the job, the account its workers run as, their bucket for temporary files, the dataset they
write to, and the grants. Does not own the subscription, nor the template.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import pubsub as limits
from catalog.limits.bigquery import COLUMNS
from components.data.buckets import check_bucket_name
from components.data.table_shape import Field
from components.serverless.results_table import ResultsTable
from components.service_accounts import account_id
from components.validation import Problems, component_type, register

TABLE_ID = "rows"
ERRORS_TABLE_ID = "errors"

_TEMPORARY_DAYS = 7


class Dataflow(TypedDict):
    """What the job does and how large it grows."""

    template: NotRequired[Annotated[str, limits.TEMPLATE]]
    """Path of a flex template in Cloud Storage; `{region}` is the job's."""
    parameters: NotRequired[Mapping[str, str]]
    """Parameters of the template, besides inputSubscription, outputTableSpec and
    outputDeadletterTable."""
    fields: Annotated[Sequence[Field], COLUMNS]
    """Columns of the table the job writes."""
    machine_type: NotRequired[Annotated[str, limits.WORKER_MACHINE_TYPE]]
    """Machine type of the workers."""
    max_workers: NotRequired[Annotated[int, limits.MAX_WORKERS]]
    """Most workers."""


class DataflowJobArgs(TypedDict):
    """Arguments of DataflowJob."""

    project: pulumi.Input[str]
    """Id of the project."""
    region: str
    """Region of the workers and their data."""
    subscription_id: pulumi.Input[str]
    """Id of the subscription, `projects/<project>/subscriptions/<subscription>`."""
    service_account: pulumi.Input[str]
    """Email of the account the workers run as; it may fetch from the subscription."""
    subnetwork: pulumi.Input[str]
    """Id of the subnet of the workers, which have private addresses alone."""
    dataflow: Dataflow
    """What the job does."""
    deletion_protection: NotRequired[bool]
    """Whether the table is protected, and the job ends what it began when it's deleted; default
    true."""


def validate_dataflow_job(name: str, args: DataflowJobArgs) -> Problems:
    """Check the plain values of the arguments, and that the names made from them are allowed."""
    problems = Problems.of(DataflowJobArgs, args)
    problems.check_name(name, "name")
    check_bucket_name(problems, "name", args["project"], f"{name}-temporary")
    problems.extend(limits.dataflow(args["dataflow"]), "dataflow")
    return problems


def worker_account_id(name: str) -> str:
    """Return the id of the account for the workers of the job named so."""
    return account_id(name, "flow")


class DataflowJob(pulumi.ComponentResource):
    """A streaming Dataflow job with Streaming Engine, on private workers with few rights.

    Rows go to `<name, with underscores>.rows`, what doesn't fit to `errors` beside it, which the
    template makes. Destroying drains a protected job and cancels another.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/dataflow/docs/guides/templates/using-flex-templates
    https://cloud.google.com/dataflow/docs/concepts/security-and-permissions
    """

    job_id: pulumi.Output[str]
    table: pulumi.Output[str]
    """`<project>.<dataset>.<table>`"""

    def __init__(
        self, name: str, args: DataflowJobArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(DataflowJob), name, {}, opts)
        validate_dataflow_job(name, args).raise_if_any(f"DataflowJob {name}")
        self._prefix = name
        self._args = args
        self._member = pulumi.Output.concat("serviceAccount:", args["service_account"])
        dataflow = args["dataflow"]
        protected = args.get("deletion_protection", True)
        bucket = self._bucket()
        dataset = name.replace("-", "_")
        rows = ResultsTable(
            f"{name}-rows",
            {
                "project": args["project"],
                "region": args["region"],
                "dataset_id": dataset,
                "table_id": TABLE_ID,
                "writers": {},
                "results": {"fields": dataflow["fields"]},
                "deletion_protection": protected,
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        target = rows.table.apply(lambda table: table.replace(".", ":", 1))
        job = gcp.dataflow.FlexTemplateJob(
            f"{name}-job",
            name=name,
            project=args["project"],
            region=args["region"],
            container_spec_gcs_path=dataflow.get("template", limits.TEMPLATE.default).format(
                region=args["region"]
            ),
            parameters={
                **dataflow.get("parameters", {}),
                "inputSubscription": args["subscription_id"],
                "outputTableSpec": target,
                "outputDeadletterTable": target.apply(
                    lambda table: f"{table.rpartition('.')[0]}.{ERRORS_TABLE_ID}"
                ),
            },
            service_account_email=args["service_account"],
            machine_type=dataflow.get("machine_type", limits.WORKER_MACHINE_TYPE.default),
            max_workers=dataflow.get("max_workers", limits.MAX_WORKERS.default),
            enable_streaming_engine=True,
            ip_configuration="WORKER_IP_PRIVATE",
            subnetwork=pulumi.Output.all(args["project"], args["subnetwork"]).apply(_subnetwork),
            temp_location=pulumi.Output.concat("gs://", bucket.name, "/temporary"),
            staging_location=pulumi.Output.concat("gs://", bucket.name, "/staging"),
            on_delete="drain" if protected else "cancel",
            opts=pulumi.ResourceOptions(parent=self, depends_on=self._grants(bucket, rows)),
        )
        self.job_id = job.job_id
        self.table = rows.table
        register(self)

    def _bucket(self) -> gcp.storage.Bucket:
        return gcp.storage.Bucket(
            f"{self._prefix}-temporary",
            name=pulumi.Output.concat(self._args["project"], "-", self._prefix, "-temporary"),
            project=self._args["project"],
            location=self._args["region"],
            uniform_bucket_level_access=True,
            public_access_prevention="enforced",
            # Nothing in it is needed once the job is gone, which protection keeps.
            force_destroy=not self._args.get("deletion_protection", True),
            soft_delete_policy={"retention_duration_seconds": _TEMPORARY_DAYS * 24 * 3600},
            lifecycle_rules=[{"action": {"type": "Delete"}, "condition": {"age": _TEMPORARY_DAYS}}],
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )

    def _grants(
        self, bucket: gcp.storage.Bucket, rows: ResultsTable
    ) -> Sequence[pulumi.CustomResource]:
        child, project = pulumi.ResourceOptions(parent=self), self._args["project"]
        return [
            # The role of workers has no narrower scope than the project.
            gcp.projects.IAMMember(
                f"{self._prefix}-work",
                project=project,
                role="roles/dataflow.worker",
                member=self._member,
                opts=child,
            ),
            gcp.storage.BucketIAMMember(
                f"{self._prefix}-files",
                bucket=bucket.name,
                role="roles/storage.objectUser",
                member=self._member,
                opts=child,
            ),
            gcp.pubsub.SubscriptionIAMMember(
                f"{self._prefix}-see",
                project=project,
                subscription=pulumi.Output.from_input(self._args["subscription_id"]).apply(
                    lambda subscription: subscription.rpartition("/")[2]
                ),
                role="roles/pubsub.viewer",
                member=self._member,
                opts=child,
            ),
            gcp.bigquery.DatasetIamMember(
                f"{self._prefix}-errors",
                project=project,
                dataset_id=rows.table.apply(lambda table: table.split(".")[1]),
                role="roles/bigquery.dataEditor",
                member=self._member,
                opts=child,
            ),
        ]


def _subnetwork(named: Sequence[str]) -> str:
    """Return a project's own subnetwork as Dataflow wants it, and one of a host project as a link.

    https://cloud.google.com/dataflow/docs/guides/specifying-networks#specify-subnetwork
    """
    project, subnetwork = named
    place = subnetwork.partition("projects/")[2]
    if place.startswith(f"{project}/"):
        return place.partition("/")[2]
    return f"https://www.googleapis.com/compute/v1/projects/{place}"

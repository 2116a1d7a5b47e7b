"""BatchInference: asks a model for every request of files or a table, on a schedule.

Owns the job, whom it runs as, its schedule and the alert on a run that fails. Does not own the
model, the requests nor where results go.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import batch_inference as limits
from catalog.limits import cloud_run
from catalog.limits.schedules import SCHEDULE
from components.data.table_member import table_member
from components.ready import after
from components.serverless.cloud_run_arguments import Program, secrets_known
from components.serverless.cloud_run_program import (
    mounts_of,
    network_of,
    readable_by,
    variables_of,
    volumes_of,
)
from components.service_accounts import account_id
from components.validation import Problems, component_type, register

_HOUR_SECONDS = 3600
_AUTO_CLOSE = "3600s"
_READS, _ADDS = "roles/storage.objectViewer", "roles/storage.objectCreator"
_DEADLINE = "180s"
"""The longest that a run may take to begin, not to end."""


class Input(TypedDict):
    """Where requests are: files of a bucket, or a table."""

    bucket: NotRequired[pulumi.Input[str]]
    """Name of a bucket, with files in the batch format of OpenAI."""
    prefix: NotRequired[Annotated[str, limits.PREFIX]]
    """Folder of the files."""
    table: NotRequired[pulumi.Input[str]]
    """`<project>.<dataset>.<table>` with the columns custom_id and prompt."""
    time_column: NotRequired[Annotated[str, limits.COLUMN]]
    """Column of type TIMESTAMP that says how old a row is; default requested_at."""
    days: NotRequired[Annotated[int, limits.DAYS]]
    """Age of rows up to which they are asked."""


class Output(TypedDict):
    """Where results go: files of a bucket, or a table of predictions."""

    bucket: NotRequired[pulumi.Input[str]]
    """Name of a bucket."""
    prefix: NotRequired[Annotated[str, limits.PREFIX]]
    """Folder of the files."""
    table: NotRequired[pulumi.Input[str]]
    """`<project>.<dataset>.<table>` with the columns of a table of predictions."""


class BatchInferenceArgs(Program):
    """Arguments of `BatchInference`. `environment` says where which model is: LLM_BASE_URL and
    LLM_MODEL."""

    cpu: NotRequired[Annotated[str, limits.CPU]]
    """CPUs of a task."""
    input: Input
    """Where requests are."""
    output: Output
    """Where results go."""
    objective: NotRequired[str | None]
    """Name of the priority of the model, as the header x-gateway-inference-objective has it;
    without, that of every other request."""
    system_prompt: NotRequired[Annotated[str, limits.SYSTEM_PROMPT]]
    """What the model is told before each prompt of a table."""
    max_tokens: NotRequired[Annotated[int, limits.MAX_TOKENS]]
    """Longest answer to a prompt of a table."""
    concurrency: NotRequired[Annotated[int, limits.CONCURRENCY]]
    """Requests of a task at once."""
    tasks: NotRequired[Annotated[int, limits.TASKS]]
    """Tasks that share the requests, all at once."""
    retries: NotRequired[Annotated[int, limits.RETRIES]]
    """How often a task that fails is started anew; it goes on where it was."""
    timeout_hours: NotRequired[Annotated[int, limits.TIMEOUT_HOURS]]
    """Longest that a task may take; then it is started anew."""
    schedule: NotRequired[Annotated[str | None, SCHEDULE]]
    """When a run begins; without, by hand alone."""
    channels: NotRequired[Sequence[pulumi.Input[str]]]
    """Full names of notification channels of those who are told of a failed run."""


def validate_batch_inference(name: str, args: BatchInferenceArgs) -> Problems:
    """Check the plain values of the arguments, and that the names made from them are allowed."""
    problems = Problems.of(BatchInferenceArgs, args)
    problems.check_limit(limits.NAME, name, "name")
    for rule in (cloud_run.container, cloud_run.variables, limits.places):
        problems.extend(rule(args))
    problems.extend(secrets_known(args))
    return problems


class BatchInference(pulumi.ComponentResource):
    """A Cloud Run job that asks each request once, and keeps each result.

    What has a result is not asked again, so a run that was cut short is simply begun again:
    `gcloud run jobs execute <name>`. With an objective below zero the model's other requests come
    first. The job's account reads the input and adds results; it changes and deletes no file.

    Why a job of Cloud Run and not of Kubernetes: docs/decisions/0025-batches-on-cloud-run.md.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/run/docs/execute/jobs-on-schedule
    """

    job_name: pulumi.Output[str]
    """Waits for the grants, and for the schedule where there is one."""
    service_account: pulumi.Output[str]
    """Email of the account the job runs as."""

    def __init__(
        self, name: str, args: BatchInferenceArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(BatchInference), name, {}, opts)
        validate_batch_inference(name, args).raise_if_any(f"BatchInference {name}")
        self._name = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        account = self._account("batch", "asks the model")
        job = self._job(account)
        made = [*self._grants(account), *self._schedule(job), *self._alert(job)]
        self.job_name = after(job.name, *[each.id for each in made])
        self.service_account = account.email
        register(self)

    def _account(self, role: str, what: str) -> gcp.serviceaccount.Account:
        return gcp.serviceaccount.Account(
            f"{self._name}-{role}",
            project=self._args["project"],
            account_id=account_id(self._name, role),
            display_name=f"Batch {self._name}: {what}",
            opts=self._child,
        )

    def _job(self, account: gcp.serviceaccount.Account) -> gcp.cloudrunv2.Job:
        args = self._args
        program: BatchInferenceArgs = {**args, "environment": self._environment()}
        readable = readable_by(self._name, args, account.email, self)
        tasks = args.get("tasks", limits.TASKS.default)
        container: gcp.cloudrunv2.JobTemplateTemplateContainerArgsDict = {
            "image": args["image"],
            "envs": variables_of(program),
            "resources": {
                "limits": {
                    "cpu": args.get("cpu", limits.CPU.default),
                    "memory": f"{args.get('memory_mib', cloud_run.MEMORY_MIB.default)}Mi",
                }
            },
        }
        task: gcp.cloudrunv2.JobTemplateTemplateArgsDict = {
            "service_account": account.email,
            "execution_environment": "EXECUTION_ENVIRONMENT_GEN2",
            "max_retries": args.get("retries", limits.RETRIES.default),
            "timeout": f"{self._hours * _HOUR_SECONDS}s",
            "containers": [container],
        }
        if mounts := mounts_of(program):
            container["volume_mounts"] = mounts
            task["volumes"] = volumes_of(program)
        vpc = args.get("vpc")
        if vpc is not None:
            task["vpc_access"] = network_of(vpc)
        admission: gcp.cloudrunv2.JobBinaryAuthorizationArgsDict | None = (
            {"use_default": True} if args.get("binary_authorization") else None
        )
        return gcp.cloudrunv2.Job(
            f"{self._name}-job",
            name=self._name,
            project=args["project"],
            location=args["region"],
            deletion_protection=args.get("deletion_protection", True),
            binary_authorization=admission,
            template={"task_count": tasks, "parallelism": tasks, "template": task},
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=readable, delete_before_replace=True
            ),
        )

    @property
    def _hours(self) -> int:
        return self._args.get("timeout_hours", limits.TIMEOUT_HOURS.default)

    def _environment(self) -> Mapping[str, pulumi.Input[str]]:
        args = self._args
        asked, kept = args["input"], args["output"]
        found: dict[str, pulumi.Input[str]] = {
            **args.get("environment", {}),
            "BATCH_CONCURRENCY": str(args.get("concurrency", limits.CONCURRENCY.default)),
            "BATCH_NAME": self._name,
            "GOOGLE_CLOUD_PROJECT": args["project"],
        }
        objective = args.get("objective")
        if objective is not None:
            found["BATCH_OBJECTIVE"] = objective
        if "bucket" in asked:
            found["BATCH_INPUT"] = _uri(asked["bucket"], asked.get("prefix", ""), "*")
        if "table" in asked:
            found |= {
                "BATCH_INPUT": pulumi.Output.concat("bq://", asked["table"]),
                "BATCH_INPUT_DAYS": str(asked.get("days", limits.DAYS.default)),
                "BATCH_INPUT_TIME": asked.get("time_column", "requested_at"),
                "BATCH_MAX_TOKENS": str(args.get("max_tokens", limits.MAX_TOKENS.default)),
            }
            if prompt := args.get("system_prompt"):
                found["BATCH_SYSTEM_PROMPT"] = prompt
        if "bucket" in kept:
            found["BATCH_OUTPUT"] = _uri(kept["bucket"], kept.get("prefix", ""))
        if "table" in kept:
            found["PREDICTIONS_TABLE"] = kept["table"]
        return found

    def _grants(self, account: gcp.serviceaccount.Account) -> Iterator[pulumi.CustomResource]:
        member = pulumi.Output.concat("serviceAccount:", account.email)
        asked, kept = self._args["input"], self._args["output"]
        if "bucket" in asked:
            yield self._on_bucket("reads", asked["bucket"], _READS, member)
        if "bucket" in kept:
            # Which results there are is read before anything is asked.
            if asked.get("bucket") != kept["bucket"]:
                yield self._on_bucket("reads-results", kept["bucket"], _READS, member)
            yield self._on_bucket("adds", kept["bucket"], _ADDS, member)
        if "table" in asked:
            yield table_member(
                f"{self._name}-reads-rows",
                asked["table"],
                "roles/bigquery.dataViewer",
                member,
                self._child,
            )
        if "table" in kept:
            yield table_member(
                f"{self._name}-adds-rows",
                kept["table"],
                "roles/bigquery.dataEditor",
                member,
                self._child,
            )
        if "table" in asked or "table" in kept:
            yield gcp.projects.IAMMember(
                f"{self._name}-queries",
                project=self._args["project"],
                role="roles/bigquery.jobUser",
                member=member,
                opts=self._child,
            )

    def _on_bucket(
        self, what: str, bucket: pulumi.Input[str], role: str, member: pulumi.Input[str]
    ) -> pulumi.CustomResource:
        return gcp.storage.BucketIAMMember(
            f"{self._name}-{what}", bucket=bucket, role=role, member=member, opts=self._child
        )

    def _schedule(self, job: gcp.cloudrunv2.Job) -> Iterator[pulumi.CustomResource]:
        schedule = self._args.get("schedule")
        if schedule is None:
            return
        args, begins = self._args, self._account("begin", "begins its runs")
        may = gcp.cloudrunv2.JobIamMember(
            f"{self._name}-begins",
            project=args["project"],
            location=args["region"],
            name=job.name,
            role="roles/run.jobsExecutor",
            member=pulumi.Output.concat("serviceAccount:", begins.email),
            opts=self._child,
        )
        yield may
        yield gcp.cloudscheduler.Job(
            f"{self._name}-schedule",
            name=f"{self._name}-batch",
            project=args["project"],
            region=args["region"],
            schedule=schedule,
            time_zone="Etc/UTC",
            attempt_deadline=_DEADLINE,
            http_target={
                "http_method": "POST",
                "uri": pulumi.Output.concat(
                    "https://run.googleapis.com/v2/projects/",
                    args["project"],
                    f"/locations/{args['region']}/jobs/",
                    job.name,
                    ":run",
                ),
                "oauth_token": {"service_account_email": begins.email},
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[may]),
        )

    def _alert(self, job: gcp.cloudrunv2.Job) -> Iterator[pulumi.CustomResource]:
        channels = list(self._args.get("channels", ()))
        if not channels:
            return
        title = f"Batch {self._name}: a run failed"
        yield gcp.monitoring.AlertPolicy(
            f"{self._name}-failed",
            project=self._args["project"],
            display_name=title,
            combiner="OR",
            severity="WARNING",
            conditions=[
                {
                    "display_name": title,
                    "condition_threshold": {
                        "filter": job.name.apply(
                            lambda name: (
                                'metric.type="run.googleapis.com/job/completed_execution_count" '
                                'AND resource.type="cloud_run_job" '
                                f'AND resource.labels.job_name="{name}" '
                                'AND metric.labels.result="failed"'
                            )
                        ),
                        "comparison": "COMPARISON_GT",
                        "threshold_value": 0,
                        "duration": "0s",
                        "aggregations": [
                            {"alignment_period": "300s", "per_series_aligner": "ALIGN_DELTA"}
                        ],
                    },
                }
            ],
            documentation={
                "content": f"{title}: some requests have no result yet. The log of the job says "
                "why; a new run asks those alone. See docs/tasks/batch-inference.md.",
                "mime_type": "text/markdown",
            },
            alert_strategy={"auto_close": _AUTO_CLOSE},
            notification_channels=channels,
            opts=self._child,
        )


def _uri(bucket: pulumi.Input[str], prefix: str, end: str = "") -> pulumi.Output[str]:
    return pulumi.Output.concat("gs://", bucket, "/", prefix, end)

"""AuditLogs: who read and changed what in a project, kept and ready for queries.

Owns what is logged of access to data, the sinks, the bucket and the dataset. Does not own the logs
that Cloud Logging keeps itself, nor whom jobs of queries are billed to.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import Entries
from catalog.limits import operations as limits
from components.data.lake_bucket import LakeBucket
from components.ready import after
from components.validation import Problems, component_type, register

_DAY_MS = 24 * 3600 * 1000
_KINDS = ("ADMIN_READ", "DATA_READ", "DATA_WRITE")
# What is done, what is read and written, what Google does, and what policies refuse:
# https://cloud.google.com/logging/docs/audit
_LOGS = ("activity", "data_access", "system_event", "policy")
_FILTER = " OR ".join(f'log_id("cloudaudit.googleapis.com/{each}")' for each in _LOGS)
_BUCKET = "storage.googleapis.com/"
_DATASET = "bigquery.googleapis.com/"


class AuditLogsArgs(TypedDict):
    """Arguments of `AuditLogs`."""

    project: pulumi.Input[str]
    """Id of the project, once the APIs of Cloud Logging, Cloud Storage and BigQuery are on."""
    services: Annotated[Sequence[str], Entries("an API")]
    """APIs whose reads and writes of data are logged, such as `storage.googleapis.com`; what they
    change of resources always is."""
    region: str
    """Region of the bucket and the dataset."""
    retention_days: NotRequired[Annotated[int, limits.AUDIT_DAYS]]
    """How long the bucket keeps an entry, which nobody can delete or replace before."""
    locked: NotRequired[bool]
    """Whether nobody can shorten that any more; default false."""
    query_days: NotRequired[Annotated[int, limits.QUERY_DAYS]]
    """How long an entry can be queried in BigQuery."""
    readers: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Who may read both, by any short name, such as `group:security@acme.com`."""
    deletion_protection: NotRequired[bool]
    """Whether the bucket and the dataset are protected from deletion; default true."""


class AuditLogs(pulumi.ComponentResource):
    """Audit logs of a project, access to data included, in a bucket and in BigQuery.

    The bucket `<project>-<name>-kept` keeps each entry for its time whatever anyone does, for
    auditors; the dataset answers who did what, one table a log, partitioned by day. Each sink
    writes as an identity of Cloud Logging that has a right on its destination alone. BigQuery logs
    access to its data without being told; its entries go the same way.

    The tables are made by the sink: a stack that is deleted leaves the dataset until they are gone.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/logging/docs/audit/configure-data-access
    https://cloud.google.com/logging/docs/export/configure_export_v2
    """

    bucket_name: pulumi.Output[str]
    """Waits for the right to write to it."""
    dataset_id: pulumi.Output[str]
    """Waits for the right to write to it."""

    def __init__(
        self, name: str, args: AuditLogsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(AuditLogs), name, {}, opts)
        problems = Problems.of(AuditLogsArgs, args)
        problems.raise_if_any(f"AuditLogs {name}")
        self._name = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        for service in args["services"]:
            gcp.projects.IAMAuditConfig(
                f"{name}-{service.partition('.')[0]}",
                project=args["project"],
                service=service,
                audit_log_configs=[{"log_type": kind} for kind in _KINDS],
                opts=self._child,
            )
        self.bucket_name = self._to_bucket()
        self.dataset_id = self._to_dataset()
        register(self)

    def _to_bucket(self) -> pulumi.Output[str]:
        days = self._args.get("retention_days", limits.AUDIT_DAYS.default)
        bucket = LakeBucket(
            f"{self._name}-kept",
            {
                "project": self._args["project"],
                "region": self._args["region"],
                "retention_days": days,
                "retention_locked": self._args.get("locked", False),
                "delete_after_days": days,
                "readers": self._args.get("readers", {}),
                "deletion_protection": self._args.get("deletion_protection", True),
            },
            self._child,
        ).bucket_name
        sink = self._sink("kept", pulumi.Output.concat(_BUCKET, bucket))
        grant = gcp.storage.BucketIAMMember(
            f"{self._name}-kept-write",
            bucket=bucket,
            role="roles/storage.objectCreator",
            member=sink.writer_identity,
            opts=self._child,
        )
        return after(bucket, grant.id)

    def _to_dataset(self) -> pulumi.Output[str]:
        project = self._args["project"]
        protected = self._args.get("deletion_protection", True)
        days = self._args.get("query_days", limits.QUERY_DAYS.default)
        dataset = gcp.bigquery.Dataset(
            f"{self._name}-dataset",
            project=project,
            dataset_id=self._name.replace("-", "_"),
            location=self._args["region"],
            # Not given, BigQuery lets every editor and viewer of the project in too. Who is granted
            # something later stands in the same list.
            accesses=[{"role": "OWNER", "special_group": "projectOwners"}],
            default_partition_expiration_ms=days * _DAY_MS,
            delete_contents_on_destroy=False,
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=protected or None,
                delete_before_replace=True,
                ignore_changes=["accesses"],
            ),
        )
        destination = pulumi.Output.format(
            f"{_DATASET}projects/{{0}}/datasets/{{1}}", project, dataset.dataset_id
        )
        sink = self._sink("queried", destination)
        grants = [
            gcp.bigquery.DatasetIamMember(
                f"{self._name}-queried-{who}",
                project=project,
                dataset_id=dataset.dataset_id,
                role=role,
                member=member,
                opts=self._child,
            )
            for who, role, member in (
                ("write", "roles/bigquery.dataEditor", sink.writer_identity),
                *(
                    (f"read-{who}", "roles/bigquery.dataViewer", member)
                    for who, member in self._args.get("readers", {}).items()
                ),
            )
        ]
        return after(dataset.dataset_id, *[each.id for each in grants])

    def _sink(self, role: str, destination: pulumi.Output[str]) -> gcp.logging.ProjectSink:
        partitioned: gcp.logging.ProjectSinkBigqueryOptionsArgsDict = {
            "use_partitioned_tables": True
        }
        return gcp.logging.ProjectSink(
            f"{self._name}-{role}",
            project=self._args["project"],
            name=f"{self._name}-{role}",
            destination=destination,
            filter=_FILTER,
            unique_writer_identity=True,
            bigquery_options=partitioned if role == "queried" else None,
            opts=self._child,
        )

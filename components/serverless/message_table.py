"""MessageTable: every message of a topic as a row of a BigQuery table, without any code between.

Owns the table with its dataset, its BigQuery subscription and the right of Pub/Sub to write. Does
not own the topic, the dead letters nor who reads the table.
"""

from collections.abc import Sequence
from typing import Annotated, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import pubsub as limits
from catalog.limits.bigquery import COLUMNS, EXPIRATION_DAYS
from catalog.message_schema import columns_of
from components.data.table_shape import Field
from components.ready import after
from components.serverless.delivery import MessageSchema, retention
from components.serverless.results_table import ResultsTable
from components.validation import Problems, component_type, register

TABLE_ID = "messages"

_METADATA: tuple[Field, ...] = tuple(
    {"name": name, "type": kind} for name, kind in limits.METADATA.items()
)
_RAW: Field = {"name": "data", "type": "BYTES"}


class BigQueryExport(TypedDict):
    """How rows are made of messages."""

    use_topic_schema: NotRequired[bool]
    """Whether each field of the topic's schema is a column; default false: the message as it came,
    bytes, in the column `data`."""
    fields: NotRequired[Annotated[Sequence[Field], COLUMNS]]
    """Columns, where messages are JSON objects with these keys; not with use_topic_schema."""
    drop_unknown_fields: NotRequired[bool]
    """Whether keys without a column are left out; default false: such a message is a dead
    letter."""
    partition_expiration_days: NotRequired[Annotated[int | None, EXPIRATION_DAYS]]
    """Age at which a day of rows is deleted; without, never."""
    filter: NotRequired[Annotated[str | None, limits.FILTER]]
    """Which messages are kept, such as `attributes.lang = "en"`; without, all."""


class MessageTableArgs(TypedDict):
    """Arguments of MessageTable."""

    project: pulumi.Input[str]
    """Id of the project."""
    region: str
    """Region of the dataset."""
    topic: pulumi.Input[str]
    """Id of the topic, `projects/<project>/topics/<topic>`."""
    pubsub_service_agent: pulumi.Input[str]
    """Email of the project's Pub/Sub service agent."""
    dead_letter_topic: pulumi.Input[str]
    """Id of the topic for messages BigQuery refuses; the agent may publish to it."""
    export: NotRequired[BigQueryExport]
    """How rows are made of messages."""
    message_schema: NotRequired[MessageSchema | None]
    """The topic's schema, which use_topic_schema needs."""
    retention_days: NotRequired[Annotated[int, limits.RETENTION_DAYS]]
    """How long a message waits for the table to take it."""
    deletion_protection: NotRequired[bool]
    """Whether dataset and table are protected from deletion; default true."""


def validate_message_table(name: str, args: MessageTableArgs) -> Problems:
    """Check the plain values of the arguments, and that the names made from them are allowed."""
    problems = Problems.of(MessageTableArgs, args)
    problems.check_name(name, "name")
    export = limits.export(args.get("export", {}), args.get("message_schema"))
    problems.extend(export, "export")
    return problems


class MessageTable(pulumi.ComponentResource):
    """A table of messages by the day they were published, written by Pub/Sub itself.

    The table is `<name, with underscores>.messages`. What BigQuery refuses goes to the dead
    letters. A message can be written twice: tell by message_id.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/pubsub/docs/bigquery
    """

    table: pulumi.Output[str]
    """`<project>.<dataset>.<table>`"""
    subscription_id: pulumi.Output[str]

    def __init__(
        self, name: str, args: MessageTableArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(MessageTable), name, {}, opts)
        validate_message_table(name, args).raise_if_any(f"MessageTable {name}")
        export = args.get("export", {})
        rows = ResultsTable(
            f"{name}-rows",
            {
                "project": args["project"],
                "region": args["region"],
                "dataset_id": name.replace("-", "_"),
                "table_id": TABLE_ID,
                "writers": {"pubsub": args["pubsub_service_agent"]},
                "results": {
                    "fields": [*_METADATA, *_columns(export, args.get("message_schema"))],
                    "partition_field": "publish_time",
                    "partition_expiration_days": export.get("partition_expiration_days"),
                },
                "deletion_protection": args.get("deletion_protection", True),
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        subscription = gcp.pubsub.Subscription(
            f"{name}-subscription",
            name=name,
            project=args["project"],
            topic=args["topic"],
            filter=export.get("filter"),
            ack_deadline_seconds=limits.ACK_DEADLINE_SECONDS.default,
            message_retention_duration=retention(args),
            expiration_policy={"ttl": ""},
            bigquery_config={
                "table": rows.table,
                "use_topic_schema": export.get("use_topic_schema", False),
                "use_table_schema": "fields" in export or None,
                "write_metadata": True,
                "drop_unknown_fields": export.get("drop_unknown_fields", False),
            },
            dead_letter_policy={
                "dead_letter_topic": args["dead_letter_topic"],
                "max_delivery_attempts": limits.MAX_DELIVERY_ATTEMPTS.default,
            },
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        forward = gcp.pubsub.SubscriptionIAMMember(
            f"{name}-forward",
            project=args["project"],
            subscription=subscription.name,
            role="roles/pubsub.subscriber",
            member=pulumi.Output.concat("serviceAccount:", args["pubsub_service_agent"]),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.table = rows.table
        self.subscription_id = after(subscription.id, forward.id)
        register(self)


def _columns(export: BigQueryExport, schema: MessageSchema | None) -> Sequence[Field]:
    """Return the columns beside those of what Pub/Sub knows of a message."""
    if "fields" in export:
        return export["fields"]
    if not export.get("use_topic_schema") or schema is None:
        return [_RAW]
    found = columns_of(schema["type"], schema["definition"])
    return [{"name": name, "type": kind, "mode": mode} for name, kind, mode in found]

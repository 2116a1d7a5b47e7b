"""Arguments of PubSubCloudRunPipeline, and what is allowed in them."""

from collections.abc import Mapping
from typing import Annotated, NotRequired

import pulumi

from catalog.limits import Text
from catalog.limits import pubsub as limits
from catalog.limits.bigquery import shape
from catalog.limits.cloud_run import container, variables
from components.data.buckets import check_bucket_name
from components.serverless.cloud_run_arguments import Container, secrets_known
from components.serverless.dataflow_job import Dataflow
from components.serverless.delivery import MessageSchema, Retry
from components.serverless.message_archive import Archive
from components.serverless.message_table import BigQueryExport
from components.serverless.results_table import Results, results_of
from components.validation import Problems

SCHEMA_TYPES: Mapping[str, str] = {"avro": "AVRO", "protobuf": "PROTOCOL_BUFFER"}
"""The API's value by ours."""

SCHEMA_ENCODINGS: Mapping[str, str] = {"json": "JSON", "binary": "BINARY"}
"""The API's value by ours."""

NAME = Text(
    "(?!goog)[a-z][a-z0-9-]{1,38}[a-z0-9]",
    "3 to 40 lowercase letters, digits or hyphens, a letter first, no hyphen last, not goog first",
    "change it (the topic is called so, and the Cloud Run service `<name>-service`)",
)


class PubSubCloudRunPipelineArgs(Container):
    """Arguments of PubSubCloudRunPipeline.

    The image takes messages as POST / and answers 200 to 204 once one is done with
    (https://cloud.google.com/pubsub/docs/push). It is given GOOGLE_CLOUD_PROJECT, PUBSUB_TOPIC and
    RESULTS_TABLE too.
    """

    pubsub_service_agent: pulumi.Input[str]
    """Email of the project's Pub/Sub service agent."""
    ack_deadline_seconds: NotRequired[Annotated[int, limits.ACK_DEADLINE_SECONDS]]
    """Time after which Pub/Sub takes a delivery for failed; no less than timeout_seconds."""
    max_delivery_attempts: NotRequired[Annotated[int, limits.MAX_DELIVERY_ATTEMPTS]]
    """Deliveries before a message goes to the dead letter topic."""
    retry: NotRequired[Retry]
    """Waiting time between deliveries."""
    filter: NotRequired[Annotated[str | None, limits.FILTER]]
    """Which messages the service gets, such as `attributes.lang = "en"`; without, all. Changing it
    makes a new subscription: what the old one had not delivered is lost to the service."""
    ordering: NotRequired[bool]
    """Whether messages with the same ordering key are delivered one after the other; default
    false. A message that fails holds up those after it until it's dead."""
    unwrapped: NotRequired[bool]
    """Whether the service gets the data of a message as the body, with its id, time and attributes
    as headers; default false: in an envelope."""
    retention_days: NotRequired[Annotated[int, limits.RETENTION_DAYS]]
    """How long messages wait in Pub/Sub, dead ones too, and can be replayed."""
    message_schema: NotRequired[MessageSchema | None]
    """What messages must look like; without, anything goes."""
    results: NotRequired[Results]
    """Shape of the results table."""
    archive: NotRequired[Archive | None]
    """How every message is kept as it came; without, none is."""
    bigquery_export: NotRequired[BigQueryExport | None]
    """How Pub/Sub itself writes every message to a table; without, it doesn't."""
    exactly_once_pull: NotRequired[bool]
    """Whether there is a second subscription to fetch from, with exactly-once delivery and an
    account that may; default false."""
    dataflow: NotRequired[Dataflow | None]
    """The streaming job that works on every message too; without, none. Needs `subnetwork`."""
    subnetwork: NotRequired[pulumi.Input[str]]
    """Id of the subnet of the job's workers."""
    topic: NotRequired[pulumi.Input[str]]
    """Id of a topic that is there, `projects/<project>/topics/<topic>`; without, one is made."""
    archive_bucket: NotRequired[pulumi.Input[str]]
    """Name of a bucket that is there for the archive; without, one is made."""
    results_dataset: NotRequired[str]
    """Name of a dataset that is there, for the table `<name>_results`; without, one is made."""


def validate_pubsub_cloud_run_pipeline(name: str, args: PubSubCloudRunPipelineArgs) -> Problems:
    """Check the plain values of the arguments, and that the names made from them are allowed."""
    problems = Problems.of(PubSubCloudRunPipelineArgs, args)
    problems.check_limit(NAME, name, "name")
    for rule in (container, variables, secrets_known):
        problems.extend(rule(args))
    problems.extend(limits.pipeline(args))
    problems.extend(shape(results_of(args.get("results", {}))), "results")
    for key, bucket in (("archive", "archive"), ("dataflow", "dataflow-temporary")):
        if args.get(key) is not None:
            check_bucket_name(problems, "name", args["project"], f"{name}-{bucket}")
    if args.get("dataflow") is not None and "subnetwork" not in args:
        problems.add("subnetwork", "found none; allowed: the id of a subnet; dataflow needs it")
    return problems


def has_avro_schema(args: PubSubCloudRunPipelineArgs) -> bool:
    """Return whether the topic has an Avro schema."""
    schema = args.get("message_schema")
    return schema is not None and schema["type"] == "avro"

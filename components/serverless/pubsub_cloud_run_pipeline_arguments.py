"""Arguments of PubSubCloudRunPipeline, and what is allowed in them."""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict, cast

import pulumi

from catalog.message_schema import DefinitionError, check_definition
from components.checks import check_between
from components.data.buckets import check_bucket_name
from components.serverless.cloud_run_arguments import (
    CloudRunServiceArgs,
    validate_cloud_run_service,
)
from components.serverless.dataflow_job import Dataflow, check_dataflow
from components.serverless.delivery import (
    MessageSchema,
    Retry,
    check_filter_text,
    check_retry,
)
from components.serverless.message_archive import Archive, check_archive
from components.serverless.message_table import BigQueryExport, check_export
from components.serverless.results_table import Results, check_results
from components.validation import Problems

SCHEMA_TYPES: Mapping[str, str] = {"avro": "AVRO", "protobuf": "PROTOCOL_BUFFER"}
"""The API's value by ours."""

SCHEMA_ENCODINGS: Mapping[str, str] = {"json": "JSON", "binary": "BINARY"}
"""The API's value by ours."""

SHORTEST_NAME = 3
"""Of a topic."""

LONGEST_NAME = 40
"""So that the name of the Cloud Run service, `<name>-service`, fits its 49 characters."""


class PubSubCloudRunPipelineArgs(TypedDict):
    """Arguments of PubSubCloudRunPipeline."""

    project: pulumi.Input[str]
    """Id of the project, its APIs enabled."""
    region: str
    """Region of all parts."""
    pubsub_service_agent: pulumi.Input[str]
    """Email of the project's Pub/Sub service agent."""
    image: pulumi.Input[str]
    """Container image; it takes messages as POST / and answers 200 to 204 once one is done with.
    https://cloud.google.com/pubsub/docs/push"""
    cpu: NotRequired[str]
    """CPUs of an instance: 1 (default), 2, 4, 6 or 8."""
    memory_mib: NotRequired[int]
    """Memory of an instance in MiB; default 512."""
    min_instances: NotRequired[int]
    """Instances that are always there; default 0."""
    max_instances: NotRequired[int]
    """Most instances; default 5."""
    concurrency: NotRequired[int]
    """Messages an instance takes at once; default 40."""
    timeout_seconds: NotRequired[int]
    """Longest a message may take in seconds, up to ack_deadline_seconds; default 60."""
    port: NotRequired[int]
    """Port the container listens on; default 8080."""
    health_path: NotRequired[str | None]
    """Path that answers GET with 200 when all is well, default `/`; None if there is none."""
    ready_path: NotRequired[str | None]
    """Path that answers GET with 200 once the container can work; default health_path."""
    gpu: NotRequired[str | None]
    """GPU of an instance: nvidia-l4; without (default), none."""
    environment: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Environment variables, besides GOOGLE_CLOUD_PROJECT, PUBSUB_TOPIC and RESULTS_TABLE."""
    ack_deadline_seconds: NotRequired[int]
    """Time after which Pub/Sub takes a delivery for failed, 10 to 600; default 60."""
    max_delivery_attempts: NotRequired[int]
    """Deliveries before a message goes to the dead letter topic, 5 to 100; default 5."""
    retry: NotRequired[Retry]
    """Waiting time between deliveries."""
    filter: NotRequired[str | None]
    """Which messages the service gets, such as `attributes.lang = "en"`; without, all. Changing it
    makes a new subscription: what the old one had not delivered is lost to the service."""
    ordering: NotRequired[bool]
    """Whether messages with the same ordering key are delivered one after the other; default
    false. A message that fails holds up those after it until it's dead."""
    retention_days: NotRequired[int]
    """How long messages wait in Pub/Sub, dead ones too, and can be replayed, 1 to 31; default 7."""
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
    deletion_protection: NotRequired[bool]
    """Whether what holds data is protected from deletion; default true."""


OWN_VARIABLES = ("GOOGLE_CLOUD_PROJECT", "PUBSUB_TOPIC", "RESULTS_TABLE")


def validate_pubsub_cloud_run_pipeline(name: str, args: PubSubCloudRunPipelineArgs) -> Problems:
    """Check the plain values of the arguments, and that the names made from them are allowed."""
    problems = Problems.of(PubSubCloudRunPipelineArgs, args)
    problems.check_name("name", name)
    if not SHORTEST_NAME <= len(name) <= LONGEST_NAME or name.startswith("goog"):
        problems.add(
            "name",
            f"found {name!r}; allowed: {SHORTEST_NAME} to {LONGEST_NAME} characters, not goog "
            "first; the topic is called so",
        )
    _check_service(problems, args)
    _check_delivery(problems, args)
    message_schema = args.get("message_schema")
    if message_schema is not None:
        _check_message_schema(problems, message_schema)
    check_results(problems, "results", args.get("results", {}))
    archive = args.get("archive")
    if archive is not None:
        check_bucket_name(problems, "name", args["project"], f"{name}-archive")
        check_archive(problems, "archive", archive)
    _check_copies(problems, name, args)
    return problems


def service_args(
    args: PubSubCloudRunPipelineArgs,
    service_account: pulumi.Input[str],
    invoker: pulumi.Input[str],
    environment: Mapping[str, pulumi.Input[str]],
) -> CloudRunServiceArgs:
    """Return the arguments of the pipeline's service; what the user left out stays left out."""
    given: Any = {key: value for key, value in args.items() if key in _SERVICE_KEYS}
    return {
        **cast("CloudRunServiceArgs", given),
        "service_account": service_account,
        "invokers": {"push": invoker},
        "environment": {**args.get("environment", {}), **environment},
    }


_SERVICE_KEYS = (
    *("project", "region", "image", "cpu", "memory_mib", "min_instances", "max_instances"),
    *("concurrency", "timeout_seconds", "port", "health_path", "ready_path", "gpu"),
    "deletion_protection",
)


def _check_service(problems: Problems, args: PubSubCloudRunPipelineArgs) -> None:
    for variable in args.get("environment", {}):
        if variable in OWN_VARIABLES:
            problems.add(
                f"environment.{variable}",
                f"found {variable!r}; allowed: names other than {', '.join(OWN_VARIABLES)}, which "
                "the pipeline sets",
            )
    service = service_args(args, "", "", {})
    problems.found += validate_cloud_run_service("service", service).found


def _check_delivery(problems: Problems, args: PubSubCloudRunPipelineArgs) -> None:
    deadline = args.get("ack_deadline_seconds", 60)
    check_between(problems, "ack_deadline_seconds", deadline, 10, 600, "seconds")
    timeout = args.get("timeout_seconds", 60)
    if timeout > deadline:
        problems.add(
            "timeout_seconds",
            f"found {timeout}; allowed: up to ack_deadline_seconds, {deadline}; later, Pub/Sub "
            "delivers the message again while it is still being worked on",
        )
    attempts = args.get("max_delivery_attempts", 5)
    check_between(problems, "max_delivery_attempts", attempts, 5, 100, "deliveries")
    check_retry(problems, args.get("retry", {}))
    check_filter_text(problems, "filter", args.get("filter"))
    check_between(problems, "retention_days", args.get("retention_days", 7), 1, 31, "days")


def _check_copies(problems: Problems, name: str, args: PubSubCloudRunPipelineArgs) -> None:
    export, dataflow = args.get("bigquery_export"), args.get("dataflow")
    if export is not None:
        check_export(problems, "bigquery_export", export, args.get("message_schema"))
    if dataflow is None:
        return
    check_bucket_name(problems, "name", args["project"], f"{name}-dataflow-temporary")
    check_dataflow(problems, "dataflow", dataflow)
    if "subnetwork" not in args:
        problems.add("subnetwork", "found none; allowed: the id of a subnet; dataflow needs it")


def has_avro_schema(args: PubSubCloudRunPipelineArgs) -> bool:
    """Return whether the topic has an Avro schema."""
    schema = args.get("message_schema")
    return schema is not None and schema["type"] == "avro"


def _check_message_schema(problems: Problems, schema: MessageSchema) -> None:
    problems.check_one_of("message_schema.type", schema["type"], SCHEMA_TYPES)
    problems.check_one_of("message_schema.encoding", schema.get("encoding"), SCHEMA_ENCODINGS)
    if schema["type"] not in SCHEMA_TYPES:
        return
    try:
        check_definition(schema["type"], schema["definition"])
    except DefinitionError as problem:
        problems.add(
            "message_schema.definition",
            f"found {problem}; allowed: Avro's JSON for a record, "
            '{"type": "record", "name": ..., "fields": [...]}, or a proto file with one message',
        )

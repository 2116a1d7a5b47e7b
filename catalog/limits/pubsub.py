"""Limits of messages, and of who takes them: pushes, archives, exports and streaming jobs."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from catalog.limits import Choice, Limit, LimitError, Range, Text
from catalog.limits.bigquery import columns
from catalog.limits.cloud_run import TIMEOUT_SECONDS
from catalog.limits.names import PROJECT
from catalog.limits.storage import STORAGE_CLASSES, bills
from catalog.message_filter import LONGEST_BYTES, FilterError, check_filter
from catalog.message_schema import DefinitionError, check_definition, columns_of
from catalog.problems import Problem, below, in_order, joined, shown

LONGEST_ACK_SECONDS: Final = 600
ACK_DEADLINE_SECONDS: Final = Range(10, LONGEST_ACK_SECONDS, "seconds", default=60)
MAX_DELIVERY_ATTEMPTS: Final = Range(5, 100, "deliveries", default=5)
RETRY_MINIMUM_SECONDS: Final = Range(0, 600, "seconds", default=10)
RETRY_MAXIMUM_SECONDS: Final = Range(0, 600, "seconds", default=600)
RETENTION_DAYS: Final = Range(1, 31, "days", default=7)
MESSAGE_TIMEOUT_SECONDS: Final = Range(
    1, LONGEST_ACK_SECONDS, "seconds", default=TIMEOUT_SECONDS.default
)
TOPIC: Final = Text(
    "(?!goog)[A-Za-z][A-Za-z0-9._~+%-]{2,254}",
    "3 to 255 letters, digits or . _ ~ + % -, a letter first, not goog first",
)

TOPIC_PATH: Final = Text(
    f"projects/{PROJECT}/topics/{TOPIC.pattern}",
    "a topic's full name",
    "write it like projects/acme-shop/topics/reviews",
)

SCHEMA_TYPE: Final = Choice(("avro", "protobuf"))
SCHEMA_ENCODING: Final = Choice(("json", "binary"), default="json")
_DEFINITIONS: Final[Mapping[str, str]] = {
    "avro": 'an Avro record: {"type": "record", "name": ..., "fields": [...]}',
    "protobuf": "a proto file with one message, nothing imported",
}

ARCHIVE_DAYS: Final = Range(1, 36500, "days", default=90)
ARCHIVE_PREFIX: Final = Text(
    r"[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,198}[A-Za-z0-9._-])?/?",
    "1 to 200 letters, digits or . _ - /, a letter or digit first",
    "write it like sentiment/",
)
ARCHIVE_FORMAT: Final = Choice(("avro", "text"), default="avro")
# A message stays unacknowledged until its file is closed.
ARCHIVE_SECONDS: Final = Range(60, LONGEST_ACK_SECONDS, "seconds", default=300)
ARCHIVE_BYTES: Final = Range(1000, 10 * 2**30, "bytes")

TEMPLATE: Final = Text(
    r"gs://[a-z0-9][a-z0-9._{}-]{1,61}[a-z0-9}]/\S+",
    "a path gs://bucket/object",
    # https://cloud.google.com/dataflow/docs/guides/templates/provided/pubsub-to-bigquery
    default="gs://dataflow-templates-{region}/latest/flex/PubSub_to_BigQuery_Flex",
)
WORKER_MACHINE_TYPE: Final = Text(
    "[a-z][0-9][a-z]?-(?:standard|highmem|highcpu)-[0-9]+",
    "a machine type of Compute Engine such as n2-standard-2",
    "`gcloud compute machine-types list` shows those of a zone",
    default="n2-standard-2",
)
MAX_WORKERS: Final = Range(1, 100, default=3)

# What the pipeline itself gives to the container, and to the streaming job's template.
OWN_VARIABLES: Final = ("GOOGLE_CLOUD_PROJECT", "PUBSUB_TOPIC", "RESULTS_TABLE")
OWN_PARAMETERS: Final = ("inputSubscription", "outputTableSpec", "outputDeadletterTable")
METADATA: Final[Mapping[str, str]] = {
    "subscription_name": "STRING",
    "message_id": "STRING",
    "publish_time": "TIMESTAMP",
    "attributes": "JSON",
}
"""Types of the columns that Pub/Sub adds to a table of messages.

https://cloud.google.com/pubsub/docs/bigquery#write-metadata
"""


@dataclass(frozen=True)
class Filter(Limit):
    """A filter of a subscription."""

    default: Any = None

    @property
    def allowed(self) -> str:
        """What is allowed, as a phrase."""
        return f"comparisons of attributes, joined by AND or OR, up to {LONGEST_BYTES} bytes"

    def check(self, value: Any) -> None:
        """Raise LimitError for a text that Pub/Sub refuses."""
        if not isinstance(value, str):
            return
        try:
            check_filter(value)
        except FilterError as problem:
            remedy = 'write it like attributes.lang = "en"'
            raise LimitError(self.allowed, remedy, str(problem)) from None

    def hint(self) -> Mapping[str, object]:
        """Return nothing: no pattern tells filters."""
        return {}


FILTER: Final = Filter()


def retry(given: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield waiting times between deliveries in the wrong order."""
    return in_order(
        minimum_seconds=given.get("minimum_seconds", RETRY_MINIMUM_SECONDS.default),
        maximum_seconds=given.get("maximum_seconds", RETRY_MAXIMUM_SECONDS.default),
    )


def pipeline(given: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what does not fit together in a pipeline's settings."""
    deadline = given.get("ack_deadline_seconds", ACK_DEADLINE_SECONDS.default)
    timeout = given.get("timeout_seconds", MESSAGE_TIMEOUT_SECONDS.default)
    if deadline < timeout:
        yield Problem(
            ("ack_deadline_seconds",),
            shown(deadline),
            f"timeout_seconds, {timeout}, or more (else messages are worked on twice)",
            "raise it or lower timeout_seconds",
        )
    yield from below(("retry",), retry(given.get("retry") or {}))
    for key in ("environment", "secrets"):
        yield from _own((key,), given.get(key) or (), OWN_VARIABLES)
    schema = given.get("message_schema")
    yield from below(("bigquery_export",), export(given.get("bigquery_export") or {}, schema))
    if (job := given.get("dataflow")) is not None:
        if given.get("ordering"):
            yield Problem(
                ("ordering",),
                "true",
                "false with dataflow, which reads in an order of its own",
                "remove one of them",
            )
        yield from below(("dataflow",), dataflow(job))
    if schema is not None:
        yield from below(("message_schema",), message_schema(schema))
    yield from below(("archive",), archive(given.get("archive") or {}))


def dataflow(job: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield parameters of a streaming job that it is given anyway, and columns of its table."""
    yield from _own(("parameters",), job.get("parameters") or (), OWN_PARAMETERS)
    yield from columns(job["fields"])


def _own(path: tuple[str], names: Iterable[str], own: tuple[str, ...]) -> Iterator[Problem]:
    for name in names:
        if name in own:
            yield Problem(
                (*path, name),
                f"the name {shown(name)}",
                f"names other than {joined(own)}",
                "remove it: the pipeline sets it",
            )


def message_schema(schema: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield a definition that Pub/Sub refuses."""
    if (allowed := _DEFINITIONS.get(schema["type"])) is None:
        return
    try:
        check_definition(schema["type"], schema["definition"])
    except DefinitionError as problem:
        yield Problem(("definition",), str(problem), allowed, "fix the definition")


def export(given: Mapping[str, Any], schema: Mapping[str, Any] | None) -> Iterator[Problem]:
    """Yield a table by a schema that BigQuery or Pub/Sub refuses."""
    fields = given.get("fields")
    if given.get("drop_unknown_fields") and not (fields or given.get("use_topic_schema")):
        yield Problem(
            ("drop_unknown_fields",),
            "true where a message is one column",
            "true with fields or use_topic_schema",
            "add one of them, or remove it",
        )
    if fields:
        yield from columns(fields)
        if taken := sorted({each["name"].lower() for each in fields} & METADATA.keys()):
            yield Problem(
                ("fields",),
                f"the columns {joined(taken)}",
                f"columns other than {joined(METADATA)}",
                "rename them: Pub/Sub adds columns of these names",
            )
    if not given.get("use_topic_schema"):
        return
    if fields:
        yield Problem(
            ("use_topic_schema",),
            "true with fields",
            "columns of the topic's schema, or those of fields",
            "remove one of them",
        )
    path, plain = ("use_topic_schema",), "true with a message_schema of plain fields"
    if schema is None:
        yield Problem(path, "true without a message_schema", plain, "add the schema or remove it")
        return
    try:
        names = {name.lower() for name, _, _ in columns_of(schema["type"], schema["definition"])}
    except DefinitionError as problem:
        yield Problem(path, f"true with {problem}", plain, "fix the schema or remove it")
        return
    if taken := sorted(names & METADATA.keys()):
        yield Problem(
            path,
            f"true with the fields {joined(taken)}",
            f"fields other than {joined(METADATA)}",
            "rename them: Pub/Sub adds columns of these names",
        )


def archive(given: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield an archive whose messages are paid for longer than they are kept."""
    return bills(
        "retention_days",
        given.get("retention_days", ARCHIVE_DAYS.default),
        given.get("storage_class", STORAGE_CLASSES.default),
    )

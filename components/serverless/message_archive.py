"""MessageArchive: every message of a topic, kept in a bucket.

Owns the bucket, its Cloud Storage subscription and the right of Pub/Sub to write. Does not own the
topic nor who reads the archive.
"""

from collections.abc import Mapping
from typing import NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from components.checks import check_between
from components.data.buckets import STORAGE_CLASSES, check_bucket_name
from components.validation import Problems, component_type, register

DEFAULT_RETENTION_DAYS = 90

_SOFT_DELETE_SECONDS = 7 * 24 * 3600
# A message stays unacknowledged until its file is closed.
_ACK_DEADLINE_SECONDS = 600
_SHORTEST_SECONDS, _LONGEST_SECONDS, _DEFAULT_SECONDS = 60, 600, 300
_LEAST_BYTES, _MOST_BYTES = 1000, 10 * 2**30
_SUFFIXES: Mapping[str, str] = {"avro": ".avro", "text": ".txt"}


class Archive(TypedDict):
    """How messages are kept."""

    storage_class: NotRequired[str]
    """Class of new objects: STANDARD (default), NEARLINE, COLDLINE or ARCHIVE."""
    retention_days: NotRequired[int | None]
    """Age at which an object is deleted, default 90; None keeps them for ever."""
    format: NotRequired[str]
    """avro (default): messages with what Pub/Sub knows of them; text: their data, a line each."""
    max_seconds: NotRequired[int]
    """Time after which a file ends, 60 to 600; default 300."""
    max_bytes: NotRequired[int | None]
    """Size at which a file ends, 1000 bytes to 10 GiB; without (default), time alone ends it."""


class MessageArchiveArgs(TypedDict):
    """Arguments of MessageArchive."""

    project: pulumi.Input[str]
    """Id of the project."""
    location: str
    """Region of the bucket."""
    topic: pulumi.Input[str]
    """Id of the topic, `projects/<project>/topics/<topic>`."""
    pubsub_service_agent: pulumi.Input[str]
    """Email of the project's Pub/Sub service agent."""
    archive: NotRequired[Archive]
    """How messages are kept."""
    use_topic_schema: NotRequired[bool]
    """Whether objects have the fields of the topic's Avro schema; default false."""
    backlog_retention_days: NotRequired[int]
    """How long a message waits for the bucket to take it; default 7."""
    deletion_protection: NotRequired[bool]
    """Whether the bucket is protected from deletion; default true."""


def validate_message_archive(name: str, args: MessageArchiveArgs) -> Problems:
    """Check the plain values of the arguments, and that the names made from them are allowed."""
    problems = Problems.of(MessageArchiveArgs, args)
    problems.check_name("name", name)
    check_bucket_name(problems, "name", args["project"], name)
    check_archive(problems, "archive", args.get("archive", {}))
    check_between(
        problems, "backlog_retention_days", args.get("backlog_retention_days", 7), 1, 31, "days"
    )
    return problems


def check_archive(problems: Problems, path: str, archive: Archive) -> None:
    """Note an archive that Cloud Storage refuses, or that costs more than it should."""
    storage_class = archive.get("storage_class", "STANDARD")
    problems.check_one_of(f"{path}.storage_class", storage_class, STORAGE_CLASSES)
    problems.check_one_of(f"{path}.format", archive.get("format"), _SUFFIXES)
    seconds, size = archive.get("max_seconds", _DEFAULT_SECONDS), archive.get("max_bytes")
    where = f"{path}.max_seconds"
    check_between(problems, where, seconds, _SHORTEST_SECONDS, _LONGEST_SECONDS, "seconds")
    if size is not None:
        check_between(problems, f"{path}.max_bytes", size, _LEAST_BYTES, _MOST_BYTES, "bytes")
    days = archive.get("retention_days", DEFAULT_RETENTION_DAYS)
    if days is None:
        return
    shortest = max(1, STORAGE_CLASSES.get(storage_class, 0))
    if days < shortest:
        problems.add(
            f"{path}.retention_days",
            f"found {days}; allowed: {shortest} or more with storage class {storage_class}; "
            "that many days are paid for anyway",
        )


def lifecycle(archive: Archive) -> list[gcp.storage.BucketLifecycleRuleArgsDict]:
    """Return the rules that move objects to colder classes as they age, then delete them.

    An object moves only where it stays long enough for the colder class to be cheaper.
    """
    days = archive.get("retention_days", DEFAULT_RETENTION_DAYS)
    start = STORAGE_CLASSES[archive.get("storage_class", "STANDARD")]
    rules: list[gcp.storage.BucketLifecycleRuleArgsDict] = [
        {
            "action": {"type": "SetStorageClass", "storage_class": colder},
            "condition": {"age": age},
        }
        for colder, age in STORAGE_CLASSES.items()
        if age > start and (days is None or 2 * age <= days)
    ]
    if days is not None:
        rules.append({"action": {"type": "Delete"}, "condition": {"age": days}})
    return rules


class MessageArchive(pulumi.ComponentResource):
    """A private bucket that Pub/Sub writes every message of a topic to, as files by day.

    Old files sink to colder storage classes, then are deleted; a deleted file can be had back for
    seven days. The bucket is named `<project>-<name>`.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/pubsub/docs/cloudstorage
    """

    bucket_name: pulumi.Output[str]
    subscription_id: pulumi.Output[str]

    def __init__(
        self, name: str, args: MessageArchiveArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(MessageArchive), name, {}, opts)
        validate_message_archive(name, args).raise_if_any(f"MessageArchive {name}")
        archive = args.get("archive", {})
        bucket = gcp.storage.Bucket(
            f"{name}-bucket",
            name=pulumi.Output.concat(args["project"], "-", name),
            project=args["project"],
            location=args["location"],
            storage_class=archive.get("storage_class", "STANDARD"),
            uniform_bucket_level_access=True,
            public_access_prevention="enforced",
            # Without protection a destroy must not stop at the first message that was kept.
            force_destroy=not args.get("deletion_protection", True),
            # Objects are written once: versions would only be paid for.
            versioning={"enabled": False},
            soft_delete_policy={"retention_duration_seconds": _SOFT_DELETE_SECONDS},
            lifecycle_rules=lifecycle(archive),
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=args.get("deletion_protection", True) or None,
                delete_before_replace=True,
            ),
        )
        grants = [
            gcp.storage.BucketIAMMember(
                f"{name}-{right}",
                bucket=bucket.name,
                role=role,
                member=pulumi.Output.concat("serviceAccount:", args["pubsub_service_agent"]),
                opts=pulumi.ResourceOptions(parent=self),
            )
            for right, role in (
                ("write", "roles/storage.objectCreator"),
                ("check", "roles/storage.legacyBucketReader"),
            )
        ]
        subscription = gcp.pubsub.Subscription(
            f"{name}-subscription",
            name=name,
            project=args["project"],
            topic=args["topic"],
            ack_deadline_seconds=_ACK_DEADLINE_SECONDS,
            message_retention_duration=f"{args.get('backlog_retention_days', 7) * 86400}s",
            expiration_policy={"ttl": ""},
            cloud_storage_config=_files(
                archive, bucket.name, use_topic_schema=args.get("use_topic_schema", False)
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=grants, delete_before_replace=True),
        )
        self.bucket_name = bucket.name
        self.subscription_id = subscription.id
        register(self)


def _files(
    archive: Archive, bucket: pulumi.Input[str], *, use_topic_schema: bool
) -> gcp.pubsub.SubscriptionCloudStorageConfigArgsDict:
    form = archive.get("format", "avro")
    files: gcp.pubsub.SubscriptionCloudStorageConfigArgsDict = {
        "bucket": bucket,
        "filename_datetime_format": "YYYY-MM-DD/hh_mm_ssZ",
        "filename_suffix": _SUFFIXES[form],
        "max_duration": f"{archive.get('max_seconds', _DEFAULT_SECONDS)}s",
    }
    size = archive.get("max_bytes")
    if size is not None:
        files["max_bytes"] = size
    if form == "avro":
        files["avro_config"] = {"write_metadata": True, "use_topic_schema": use_topic_schema}
    return files

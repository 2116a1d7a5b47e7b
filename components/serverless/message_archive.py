"""MessageArchive: every message of a topic, kept in a bucket.

Owns the bucket, its Cloud Storage subscription and the right of Pub/Sub to write. Does not own the
topic nor who reads the archive.
"""

from collections.abc import Mapping
from typing import Annotated, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import pubsub as limits
from catalog.limits.storage import MINIMUM_DAYS, STORAGE_CLASSES
from components.data.buckets import check_bucket_name
from components.serverless.delivery import retention
from components.validation import Problems, component_type, register

_SOFT_DELETE_SECONDS = 7 * 24 * 3600
_SUFFIXES: Mapping[str, str] = {"avro": ".avro", "text": ".txt"}


class Archive(TypedDict):
    """How messages are kept."""

    storage_class: NotRequired[Annotated[str, STORAGE_CLASSES]]
    """Class of new objects."""
    retention_days: NotRequired[Annotated[int, limits.ARCHIVE_DAYS]]
    """Age at which an object is deleted."""
    format: NotRequired[Annotated[str, limits.ARCHIVE_FORMAT]]
    """avro: messages with what Pub/Sub knows of them; text: their data, a line each."""
    max_seconds: NotRequired[Annotated[int, limits.ARCHIVE_SECONDS]]
    """Time after which a file ends."""
    max_bytes: NotRequired[Annotated[int | None, limits.ARCHIVE_BYTES]]
    """Size at which a file ends; without, time alone ends it."""
    prefix: NotRequired[Annotated[str | None, limits.ARCHIVE_PREFIX]]
    """What names of files begin with, such as `sentiment/`; without, the day."""


class MessageArchiveArgs(TypedDict):
    """Arguments of MessageArchive."""

    project: pulumi.Input[str]
    """Id of the project."""
    region: str
    """Region of the bucket."""
    topic: pulumi.Input[str]
    """Id of the topic, `projects/<project>/topics/<topic>`."""
    pubsub_service_agent: pulumi.Input[str]
    """Email of the project's Pub/Sub service agent."""
    archive: NotRequired[Archive]
    """How messages are kept."""
    bucket: NotRequired[pulumi.Input[str]]
    """Name of a bucket that is there; without, one is made."""
    use_topic_schema: NotRequired[bool]
    """Whether objects have the fields of the topic's Avro schema; default false."""
    retention_days: NotRequired[Annotated[int, limits.RETENTION_DAYS]]
    """How long a message waits for the bucket to take it."""
    deletion_protection: NotRequired[bool]
    """Whether the bucket is protected from deletion; default true."""


def validate_message_archive(name: str, args: MessageArchiveArgs) -> Problems:
    """Check the plain values of the arguments, and that the names made from them are allowed."""
    problems = Problems.of(MessageArchiveArgs, args)
    problems.check_name(name, "name")
    check_bucket_name(problems, "name", args["project"], name)
    problems.extend(limits.archive(args.get("archive", {})), "archive")
    return problems


def lifecycle(archive: Archive) -> list[gcp.storage.BucketLifecycleRuleArgsDict]:
    """Return the rules that move objects to colder classes as they age, then delete them.

    An object moves only where it stays long enough for the colder class to be cheaper.
    """
    days = archive.get("retention_days", limits.ARCHIVE_DAYS.default)
    start = MINIMUM_DAYS[archive.get("storage_class", STORAGE_CLASSES.default)]
    rules: list[gcp.storage.BucketLifecycleRuleArgsDict] = [
        {
            "action": {"type": "SetStorageClass", "storage_class": colder},
            "condition": {"age": age},
        }
        for colder, age in MINIMUM_DAYS.items()
        if age > start and 2 * age <= days
    ]
    return [*rules, {"action": {"type": "Delete"}, "condition": {"age": days}}]


class MessageArchive(pulumi.ComponentResource):
    """A private bucket that Pub/Sub writes every message of a topic to, as files by day.

    Old files sink to colder storage classes, then are deleted; a deleted file can be had back for
    seven days. The bucket is named `<project>-<name>`. One that is there stays as it is.

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
        bucket = args.get("bucket") or self._bucket(name, args, archive)
        grants = [
            gcp.storage.BucketIAMMember(
                f"{name}-{right}",
                bucket=bucket,
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
            ack_deadline_seconds=limits.LONGEST_ACK_SECONDS,
            message_retention_duration=retention(args),
            expiration_policy={"ttl": ""},
            cloud_storage_config=_files(
                archive, bucket, use_topic_schema=args.get("use_topic_schema", False)
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=grants, delete_before_replace=True),
        )
        self.bucket_name = pulumi.Output.from_input(bucket)
        self.subscription_id = subscription.id
        register(self)

    def _bucket(self, name: str, args: MessageArchiveArgs, archive: Archive) -> pulumi.Output[str]:
        return gcp.storage.Bucket(
            f"{name}-bucket",
            name=pulumi.Output.concat(args["project"], "-", name),
            project=args["project"],
            location=args["region"],
            storage_class=archive.get("storage_class", STORAGE_CLASSES.default),
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
        ).name


def _files(
    archive: Archive, bucket: pulumi.Input[str], *, use_topic_schema: bool
) -> gcp.pubsub.SubscriptionCloudStorageConfigArgsDict:
    form = archive.get("format", limits.ARCHIVE_FORMAT.default)
    files: gcp.pubsub.SubscriptionCloudStorageConfigArgsDict = {
        "bucket": bucket,
        "filename_datetime_format": "YYYY-MM-DD/hh_mm_ssZ",
        "filename_prefix": archive.get("prefix"),
        "filename_suffix": _SUFFIXES[form],
        "max_duration": f"{archive.get('max_seconds', limits.ARCHIVE_SECONDS.default)}s",
    }
    size = archive.get("max_bytes")
    if size is not None:
        files["max_bytes"] = size
    if form == "avro":
        files["avro_config"] = {"write_metadata": True, "use_topic_schema": use_topic_schema}
    return files

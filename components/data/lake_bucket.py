"""LakeBucket: files of a data lake, kept as long and as cheaply as they should be.

Owns the bucket and who may read it or write to it. Does not own what the files are.
"""

from collections.abc import Mapping
from typing import Annotated, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import storage as limits
from components.data.buckets import check_bucket_name
from components.ready import after
from components.validation import Problems, component_type, register

_DAY_SECONDS = 24 * 3600
_READER = "roles/storage.objectViewer"
# Adds objects, but neither replaces nor deletes any.
_WRITER = "roles/storage.objectCreator"


class LakeBucketArgs(TypedDict):
    """Arguments of LakeBucket."""

    project: pulumi.Input[str]
    """Id of the project."""
    region: str
    """Region of the bucket."""
    storage_class: NotRequired[Annotated[str, limits.STORAGE_CLASSES]]
    """Class of new objects."""
    colder_after_days: NotRequired[
        Mapping[Annotated[str, limits.COLDER_CLASSES], Annotated[int, limits.DAYS]]
    ]
    """Age at which objects move to a colder storage class, by class; default: they stay."""
    delete_after_days: NotRequired[Annotated[int | None, limits.DAYS]]
    """Age at which objects are deleted; without, never."""
    retention_days: NotRequired[Annotated[int | None, limits.DAYS]]
    """Age before which nobody can delete or replace an object; without, any time."""
    retention_locked: NotRequired[bool]
    """Whether nobody can shorten or remove the retention any more; default false."""
    soft_delete_days: NotRequired[Annotated[int, limits.SOFT_DELETE_DAYS]]
    """How long a deleted object can be had back."""
    versioning: NotRequired[bool]
    """Whether replaced and deleted objects are kept as old versions; default false."""
    old_versions_days: NotRequired[Annotated[int, limits.OLD_VERSIONS_DAYS]]
    """How long an old version is kept."""
    kms_key: NotRequired[pulumi.Input[str] | None]
    """Key objects are encrypted with, usable by Cloud Storage; without, Google's own."""
    readers: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Who may read, by any short name, such as `group:analysts@acme.com`."""
    writers: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Who may add objects, by any short name; they can neither read, replace nor delete any."""
    deletion_protection: NotRequired[bool]
    """Whether the bucket is protected from deletion, and from going with its objects; default
    true."""


def validate_lake_bucket(name: str, args: LakeBucketArgs) -> Problems:
    """Check the plain values of the arguments, and that the names made from them are allowed."""
    problems = Problems.of(LakeBucketArgs, args)
    problems.check_name(name, "name")
    check_bucket_name(problems, "name", args["project"], name)
    problems.extend(limits.bucket(args))
    problems.extend(limits.key_place(args.get("kms_key"), args["region"]))
    return problems


def lifecycle(args: LakeBucketArgs) -> list[gcp.storage.BucketLifecycleRuleArgsDict]:
    """Return the rules that move objects to colder classes, and delete old objects and versions."""
    rules: list[gcp.storage.BucketLifecycleRuleArgsDict] = [
        {
            "action": {"type": "SetStorageClass", "storage_class": colder},
            "condition": {"age": age},
        }
        for colder, age in args.get("colder_after_days", {}).items()
    ]
    days = args.get("delete_after_days")
    if days is not None:
        rules.append({"action": {"type": "Delete"}, "condition": {"age": days}})
    if args.get("versioning", False):
        old = args.get("old_versions_days", limits.OLD_VERSIONS_DAYS.default)
        rules.append(
            {
                "action": {"type": "Delete"},
                "condition": {"days_since_noncurrent_time": old, "with_state": "ARCHIVED"},
            }
        )
    return rules


class LakeBucket(pulumi.ComponentResource):
    """A private bucket whose objects sink to colder storage classes as they age.

    Access is granted on the bucket alone, never on single objects, and nothing in it can be made
    public. The bucket is named `<project>-<name>`.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/storage/docs/lifecycle
    https://cloud.google.com/storage/docs/bucket-lock
    """

    bucket_name: pulumi.Output[str]
    """Waits for the grants."""

    def __init__(
        self, name: str, args: LakeBucketArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(LakeBucket), name, {}, opts)
        validate_lake_bucket(name, args).raise_if_any(f"LakeBucket {name}")
        protected = args.get("deletion_protection", True)
        retention = args.get("retention_days")
        key = args.get("kms_key")
        soft_delete = args.get("soft_delete_days", limits.SOFT_DELETE_DAYS.default)
        encryption: gcp.storage.BucketEncryptionArgsDict | None = (
            None if key is None else {"default_kms_key_name": key}
        )
        kept: gcp.storage.BucketRetentionPolicyArgsDict | None = (
            None
            if retention is None
            else {
                "retention_period": str(retention * _DAY_SECONDS),
                "is_locked": args.get("retention_locked") or None,
            }
        )
        bucket = gcp.storage.Bucket(
            f"{name}-bucket",
            name=pulumi.Output.concat(args["project"], "-", name),
            project=args["project"],
            location=args["region"],
            storage_class=args.get("storage_class", limits.STORAGE_CLASSES.default),
            uniform_bucket_level_access=True,
            public_access_prevention="enforced",
            force_destroy=not protected,
            versioning={"enabled": args.get("versioning", False)},
            soft_delete_policy={"retention_duration_seconds": soft_delete * _DAY_SECONDS},
            retention_policy=kept,
            lifecycle_rules=lifecycle(args),
            encryption=encryption,
            opts=pulumi.ResourceOptions(
                parent=self, protect=protected or None, delete_before_replace=True
            ),
        )
        grants = [
            gcp.storage.BucketIAMMember(
                f"{name}-{right}-{who}",
                bucket=bucket.name,
                role=role,
                member=member,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for right, role, members in (
                ("read", _READER, args.get("readers", {})),
                ("write", _WRITER, args.get("writers", {})),
            )
            for who, member in members.items()
        ]
        self.bucket_name = after(bucket.name, *[each.id for each in grants])
        register(self)

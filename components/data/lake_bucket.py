"""LakeBucket: files of a data lake, kept as long and as cheaply as they should be.

Owns the bucket and who may read it or write to it. Does not own what the files are.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from components.checks import check_between
from components.data.buckets import STORAGE_CLASSES, check_bucket_name
from components.data.key_access import check_key
from components.ready import after
from components.validation import Problems, component_type, register

DEFAULT_SOFT_DELETE_DAYS = 7
DEFAULT_OLD_VERSIONS_DAYS = 30

_LONGEST_DAYS = 36500
_DAY_SECONDS = 24 * 3600
_READER = "roles/storage.objectViewer"
# Adds objects, but neither replaces nor deletes any.
_WRITER = "roles/storage.objectCreator"


class LakeBucketArgs(TypedDict):
    """Arguments of LakeBucket."""

    project: pulumi.Input[str]
    """Id of the project."""
    location: str
    """Region of the bucket."""
    storage_class: NotRequired[str]
    """Class of new objects: STANDARD (default), NEARLINE, COLDLINE or ARCHIVE."""
    colder_after_days: NotRequired[Mapping[str, int]]
    """Age at which objects move to a colder storage class, by class; default: they stay."""
    delete_after_days: NotRequired[int | None]
    """Age at which objects are deleted; without, never."""
    retention_days: NotRequired[int | None]
    """Age before which nobody can delete or replace an object; without, any time."""
    soft_delete_days: NotRequired[int]
    """How long a deleted object can be had back: 0, or 7 (default) to 90."""
    versioning: NotRequired[bool]
    """Whether replaced and deleted objects are kept as old versions; default false."""
    old_versions_days: NotRequired[int]
    """How long an old version is kept; default 30."""
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
    problems.check_name("name", name)
    check_bucket_name(problems, "name", args["project"], name)
    problems.check_one_of("storage_class", _class(args), STORAGE_CLASSES)
    _check_ages(problems, args)
    retention = args.get("retention_days")
    if retention is not None:
        check_between(problems, "retention_days", retention, 1, _LONGEST_DAYS, "days")
    soft_delete = args.get("soft_delete_days", DEFAULT_SOFT_DELETE_DAYS)
    if soft_delete != 0:
        check_between(problems, "soft_delete_days", soft_delete, 7, 90, "days, or 0")
    check_between(
        problems,
        "old_versions_days",
        args.get("old_versions_days", DEFAULT_OLD_VERSIONS_DAYS),
        1,
        _LONGEST_DAYS,
        "days",
    )
    check_key(problems, "kms_key", args.get("kms_key"), args["location"])
    return problems


def _check_ages(problems: Problems, args: LakeBucketArgs) -> None:
    ages = args.get("colder_after_days", {})
    order = list(STORAGE_CLASSES)
    start = order.index(_class(args)) if _class(args) in order else 0
    for colder, age in ages.items():
        path = f"colder_after_days.{colder}"
        problems.check_one_of(path, colder, order[start + 1 :])
        check_between(problems, path, age, 1, _LONGEST_DAYS, "days")
    steps = sorted((age, order.index(colder)) for colder, age in ages.items() if colder in order)
    for (_, warmer), (age, colder) in pairwise(steps):
        if colder < warmer:
            problems.add(
                f"colder_after_days.{order[colder]}",
                f"found {age}; allowed: less than {order[warmer]}'s, which is colder",
            )
    last = args.get("delete_after_days")
    if last is None:
        return
    check_between(problems, "delete_after_days", last, 1, _LONGEST_DAYS, "days")
    earliest = max([0, *ages.values(), args.get("retention_days") or 0])
    if last < earliest:
        problems.add(
            "delete_after_days",
            f"found {last}; allowed: {earliest} or more, as objects are kept or moved until then",
        )


def _class(args: LakeBucketArgs) -> str:
    return args.get("storage_class", "STANDARD")


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
        old = args.get("old_versions_days", DEFAULT_OLD_VERSIONS_DAYS)
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
        soft_delete = args.get("soft_delete_days", DEFAULT_SOFT_DELETE_DAYS)
        bucket = gcp.storage.Bucket(
            f"{name}-bucket",
            name=pulumi.Output.concat(args["project"], "-", name),
            project=args["project"],
            location=args["location"],
            storage_class=_class(args),
            uniform_bucket_level_access=True,
            public_access_prevention="enforced",
            force_destroy=not protected,
            versioning={"enabled": args.get("versioning", False)},
            soft_delete_policy={"retention_duration_seconds": soft_delete * _DAY_SECONDS},
            retention_policy=None
            if retention is None
            else {"retention_period": str(retention * _DAY_SECONDS)},
            lifecycle_rules=lifecycle(args),
            encryption=None if key is None else {"default_kms_key_name": key},
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

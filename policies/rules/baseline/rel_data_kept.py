"""Data is not deleted by itself within days."""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NumberLimit
from policies.shared.rule import Reference, ResourceRule
from resources.durations import moment, seconds
from resources.properties import (
    MISSING,
    UNKNOWN,
    elements,
    entries,
    flag,
    get,
    number,
    show,
    text,
)
from resources.resource import Resource

_DAY: Final = 86400.0
_LOGS: Final = (
    "gcp:logging/billingAccountBucketConfig:BillingAccountBucketConfig",
    "gcp:logging/folderBucketConfig:FolderBucketConfig",
    "gcp:logging/organizationBucketConfig:OrganizationBucketConfig",
    "gcp:logging/projectBucketConfig:ProjectBucketConfig",
)
# Type token: properties that end data, and how many seconds one of their unit is.
_ENDS: Final[Mapping[str, tuple[tuple[str, float], ...]]] = {
    "gcp:bigquery/dataset:Dataset": (
        ("defaultPartitionExpirationMs", 0.001),
        ("defaultTableExpirationMs", 0.001),
    ),
    "gcp:bigquery/table:Table": (("timePartitioning.expirationMs", 0.001),),
    "gcp:bigtable/gCPolicy:GCPolicy": (("maxAge.days", _DAY),),
    "gcp:gkebackup/backupPlan:BackupPlan": (("retentionPolicy.backupRetainDays", _DAY),),
    **dict.fromkeys(_LOGS, (("retentionDays", _DAY),)),
}
_TABLES: Final = ("gcp:bigquery/dataset:Dataset", "gcp:bigquery/table:Table")
# These end by a duration such as 3600s: the property, and the limit that holds it.
_TTLS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "gcp:backupdisasterrecovery/backupVault:BackupVault": (
        ("backupMinimumEnforcedRetentionDuration", "minDays"),
    ),
    "gcp:pubsub/subscription:Subscription": (
        ("expirationPolicy.ttl", "minDays"),
        ("messageRetentionDuration", "minMessageDays"),
    ),
    "gcp:pubsub/topic:Topic": (("messageRetentionDuration", "minMessageDays"),),
    "gcp:secretmanager/regionalSecret:RegionalSecret": (("ttl", "minDays"),),
    "gcp:secretmanager/secret:Secret": (("ttl", "minDays"),),
}
# These end at a time, by milliseconds of the epoch or as RFC 3339.
_TIMES: Final[Mapping[str, str]] = {
    "gcp:bigquery/table:Table": "expirationTime",
    "gcp:secretmanager/regionalSecret:RegionalSecret": "expireTime",
    "gcp:secretmanager/secret:Secret": "expireTime",
}
# A transfer that deletes: at its source what it copied, at its sink what the source has not.
_TRANSFER: Final = "gcp:storage/transferJob:TransferJob"
_DELETES: Final = ("deleteObjectsFromSourceAfterTransfer", "deleteObjectsUniqueInSink")
_BATCH: Final = "gcp:storage/batchOperationsJob:BatchOperationsJob"
_BUCKET: Final = "gcp:storage/bucket:Bucket"
_IMAGES: Final = "gcp:artifactregistry/repository:Repository"
# What takes only some objects: those of a prefix, or the versions that were replaced.
_SOME: Final = ("daysSinceNoncurrentTime", "noncurrentTimeBefore", "numNewerVersions")
_ENDINGS: Final = ("matchesPrefixes", "matchesSuffixes")


def _lifecycle(bucket: object, least: float) -> Iterator[str]:
    rules = entries(bucket, "lifecycleRules")
    for index, rule in enumerate(rules if isinstance(rules, tuple) else ()):
        condition = get(rule, "condition")
        if text(rule, "action", "type") != "Delete" or condition is UNKNOWN:
            continue
        if any(get(condition, name) not in (MISSING, 0) for name in _SOME):
            continue
        # An empty beginning or end is that of every name.
        if any(each and "" not in each for each in (elements(condition, e) for e in _ENDINGS)):
            continue
        if text(condition, "withState") == "ARCHIVED":
            continue
        age = number(condition, "age")
        if age is MISSING and get(condition, "createdBefore") is MISSING:
            age = number(condition, "daysSinceCustomTime")
        if age is MISSING or (isinstance(age, float) and age < least):
            yield f"lifecycleRules[{index}] deletes what is younger than {show(least, 'day')}"


def _restores(bucket: object) -> Iterator[str]:
    """Check that what is deleted or written over can be had back for a while."""
    kept = number(bucket, "softDeletePolicy", "retentionDurationSeconds")
    if kept not in (0, UNKNOWN):
        return
    if flag(bucket, "versioning", "enabled") is not True:
        yield "has neither versioning nor soft delete"
        return
    for index, rule in enumerate(elements(bucket, "lifecycleRules")):
        at_once = number(rule, "condition", "daysSinceNoncurrentTime") == 0
        if at_once and text(rule, "action", "type") == "Delete":
            yield f"lifecycleRules[{index}] deletes versions at once, and there is no soft delete"


def _cleanup(repository: object, least: float) -> Iterator[str]:
    # What a mirror drops it fetches again.
    mirror = text(repository, "mode") == "REMOTE_REPOSITORY"
    if mirror or flag(repository, "cleanupPolicyDryRun") is True:
        return
    for index, policy in enumerate(elements(repository, "cleanupPolicies")):
        condition = get(policy, "condition")
        if text(policy, "action") != "DELETE" or condition is UNKNOWN:
            continue
        # Untagged images, and those of a version or a tag, are some.
        some = any(
            elements(condition, name)
            for name in ("packageNamePrefixes", "tagPrefixes", "versionNamePrefixes")
        )
        old = seconds(condition, "olderThan")
        now = old is MISSING or (isinstance(old, float) and old < least * _DAY)
        if now and not some and text(condition, "tagState") != "UNTAGGED":
            yield f"cleanupPolicies[{index}] deletes what is younger than {show(least, 'day')}"


def _transfer(transfer: object) -> Iterator[str]:
    for name in _DELETES:
        if flag(transfer, "transferSpec", "transferOptions", name) is True:
            yield f"transferSpec.transferOptions.{name} deletes what was kept"


def _ends(resource: Resource, limits: Limits, least: float) -> Iterator[str]:
    for path, unit in _ENDS.get(resource.type, ()):
        found = number(resource.props, *path.split("."))
        if isinstance(found, float) and 0 < found * unit < least * _DAY:
            yield f"{path} ends data after less than {show(least, 'day')}"
    for path, limit in _TTLS.get(resource.type, ()):
        fewest = limits.number(limit)
        ttl = seconds(resource.props, *path.split("."))
        if isinstance(ttl, float) and ttl < fewest * _DAY:
            yield f"{path} ends it after less than {show(fewest, 'day')}"
    if resource.type in _TIMES:
        path = _TIMES[resource.type]
        end = moment(get(resource.props, path))
        if end is not None and end - dt.datetime.now(dt.UTC) < dt.timedelta(days=least):
            yield f"{path} ends it in less than {show(least, 'day')}"


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    least = limits.number("minDays")
    if resource.type in _TABLES:
        least = limits.number("minTableDays")
    if resource.type in _LOGS:
        least = limits.number("minLogDays")
    if resource.type == _IMAGES:
        yield from _cleanup(resource.props, least)
    elif resource.type == _TRANSFER:
        yield from _transfer(resource.props)
    elif resource.type == _BATCH:
        if get(resource.props, "deleteObject") not in (MISSING, UNKNOWN):
            yield "deleteObject deletes what a list or a prefix names"
    elif resource.type == _BUCKET:
        yield from _restores(resource.props)
        yield from _lifecycle(resource.props, least)
    else:
        yield from _ends(resource, limits, least)


RULE_TYPES: Final = (_BATCH, _BUCKET, _IMAGES, _TRANSFER, *_ENDS, *_TTLS)


RULE: Final = ResourceRule(
    id="rel-data-kept",
    display_name="Data is kept",
    description=(
        "No lifecycle rule, expiration or time to live deletes objects, tables, logs, secrets or "
        "subscriptions within days, and what a bucket loses comes back."
    ),
    why="It is gone before anybody sees that it is missing.",
    remediation=(
        "leave it out, or set at least the days of the limit; leave softDeletePolicy at its seven "
        "days or enable versioning."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/storage/docs/lifecycle",
    references=(Reference("checkov", "CKV_GCP_78"), Reference("trivy", "GCP-0078")),
    limits=(
        NumberLimit("minDays", "Fewest days that data is kept", default=7),
        NumberLimit("minLogDays", "Fewest days that logs are kept", default=30),
        NumberLimit("minMessageDays", "Fewest days that messages wait", default=1),
        NumberLimit("minTableDays", "Fewest days that tables and partitions are kept", default=1),
    ),
    applies=lambda resource_type: resource_type in RULE_TYPES,
    check=_check,
)

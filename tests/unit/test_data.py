"""Data: only named accounts get at it, one thing at a time, and it is kept as long as asked."""

import re
from typing import Any, cast

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.limits.bigquery import PREDICTION_LOG
from catalog.limits.storage import MINIMUM_DAYS
from components.data.key_access import KeyAccess, KeyAccessArgs
from components.data.lake_bucket import LakeBucket, lifecycle, validate_lake_bucket
from components.data.redis_cache import RedisCache, validate_redis_cache
from components.data.warehouse import Warehouse
from components.data.warehouse_arguments import validate_warehouse
from components.network.private_service_access import (
    PrivateServiceAccess,
    validate_private_service_access,
)
from components.validation import Problems
from tests.unit import data_arguments as arguments
from tests.unit.cloud_answers import PROJECT_ID
from tests.unit.harness import Cloud, Deploy

BUCKET = "gcp:storage/bucket:Bucket"
DATASET = "gcp:bigquery/dataset:Dataset"
TABLE = "gcp:bigquery/table:Table"
TABLE_GRANT = "gcp:bigquery/iamMember:IamMember"
REDIS = "gcp:redis/instance:Instance"
SECRET_VERSION = "gcp:secretmanager/secretVersion:SecretVersion"  # noqa: S105 a type
SECRET_GRANT = "gcp:secretmanager/secretIamMember:SecretIamMember"  # noqa: S105 a type
OWNERS = {"role": "OWNER", "specialGroup": "projectOwners"}


def paths(problems: Any) -> list[str]:
    return [problem["property_path"] for problem in problems.found]


def grants(cloud: Cloud, of_type: str) -> set[tuple[str, str]]:
    return {(each.inputs["role"], each.inputs["member"]) for each in cloud.all(of_type)}


def test_a_lake_bucket_is_private_and_granted_as_a_whole(deploy: Deploy):
    cloud = deploy(lambda: LakeBucket("raw-lake", arguments.BUCKET).bucket_name)
    bucket = cloud.one(BUCKET)
    assert bucket.inputs["uniformBucketLevelAccess"]
    assert bucket.inputs["publicAccessPrevention"] == "enforced"
    assert grants(cloud, "gcp:storage/bucketIAMMember:BucketIAMMember") == {
        ("roles/storage.objectViewer", arguments.ANALYSTS),
        ("roles/storage.objectCreator", arguments.LOADER),
    }
    assert cloud.value == f"{PROJECT_ID}-raw-lake"


def test_objects_are_kept_moved_and_deleted_as_asked(deploy: Deploy):
    inputs = deploy(lambda: LakeBucket("raw-lake", arguments.BUCKET)).one(BUCKET).inputs
    assert inputs["softDeletePolicy"] == {"retentionDurationSeconds": 7 * 86400}
    assert inputs["versioning"] == {"enabled": True}
    assert inputs["encryption"] == {"defaultKmsKeyName": arguments.KEY}
    assert [(rule["action"], rule["condition"]) for rule in inputs["lifecycleRules"]] == [
        ({"type": "SetStorageClass", "storageClass": "NEARLINE"}, {"age": 30}),
        ({"type": "SetStorageClass", "storageClass": "ARCHIVE"}, {"age": 200}),
        ({"type": "Delete"}, {"age": 900}),
        ({"type": "Delete"}, {"daysSinceNoncurrentTime": 14, "withState": "ARCHIVED"}),
    ]


def test_objects_are_locked_for_as_long_as_asked(deploy: Deploy):
    args = cast("Any", {**arguments.BUCKET, "versioning": False, "retention_days": 7})
    inputs = deploy(lambda: LakeBucket("raw-lake", args)).one(BUCKET).inputs
    assert inputs["retentionPolicy"] == {"retentionPeriod": str(7 * 86400)}


@pytest.mark.parametrize("protected", [True, False])
def test_data_goes_with_the_stack_only_without_protection(deploy: Deploy, protected: bool):
    def program() -> None:
        LakeBucket("raw", {**arguments.BUCKET, "deletion_protection": protected})
        Warehouse("serving", {**arguments.WAREHOUSE, "deletion_protection": protected})
        RedisCache("cache", {**arguments.CACHE, "deletion_protection": protected})

    cloud = deploy(program)
    assert cloud.one(BUCKET).inputs["forceDestroy"] is not protected
    assert cloud.one(REDIS).inputs["deletionProtection"] is protected
    assert cloud.one(TABLE, "serving-predictions").inputs["deletionProtection"] is protected
    for resource in (cloud.one(BUCKET), cloud.one(REDIS), *cloud.all(DATASET)):
        assert resource.protect is protected


@given(
    start=st.sampled_from(list(MINIMUM_DAYS)),
    ages=st.dictionaries(st.sampled_from(list(MINIMUM_DAYS)), st.integers(1, 36500)),
    last=st.none() | st.integers(1, 36500),
)
def test_what_passes_never_warms_up_nor_outlives_its_deletion(
    start: str, ages: dict[str, int], last: int | None
):
    args = cast(
        "Any",
        {
            **arguments.BUCKET,
            "storage_class": start,
            "colder_after_days": ages,
            "delete_after_days": last,
        },
    )
    if validate_lake_bucket("raw", args).found:
        return
    order = list(MINIMUM_DAYS)
    moves = sorted((age, order.index(colder)) for colder, age in ages.items())
    assert [cold for _, cold in moves] == sorted({cold for _, cold in moves} - {order.index(start)})
    assert last is None or all(age <= last for age, _ in moves)
    deleted_at = [
        rule["condition"]["age"]
        for rule in cast("Any", lifecycle(args))
        if rule["action"]["type"] == "Delete" and "age" in rule["condition"]
    ]
    assert deleted_at == ([] if last is None else [last])


def test_nobody_but_owners_has_a_right_on_a_whole_dataset(deploy: Deploy):
    cloud = deploy(lambda: Warehouse("serving", arguments.WAREHOUSE))
    tables, views = cloud.one(DATASET, ".*-dataset"), cloud.one(DATASET, ".*-views")
    assert views.inputs["accesses"] == [OWNERS]
    authorised = {"projectId": PROJECT_ID, "datasetId": "serving_views"}
    assert tables.inputs["accesses"] == [
        OWNERS,
        {"dataset": {"dataset": authorised, "targetTypes": ["VIEWS"]}},
    ]


def test_readers_of_a_view_have_no_right_on_its_tables(deploy: Deploy):
    cloud = deploy(lambda: Warehouse("serving", arguments.WAREHOUSE))
    found = {
        (each.inputs["datasetId"], each.inputs["tableId"], each.inputs["role"])
        for each in cloud.all(TABLE_GRANT)
        if each.inputs["member"] == arguments.ANALYSTS
    }
    assert found == {
        ("serving_views", "models", "roles/bigquery.dataViewer"),
        ("serving", "scores", "roles/bigquery.dataViewer"),
    }


def test_queries_name_their_tables_in_full_and_come_after_them(deploy: Deploy):
    cloud = deploy(lambda: Warehouse("serving", arguments.WAREHOUSE))
    base = f"{PROJECT_ID}.serving"
    view = cloud.one(TABLE, "serving-views-models")
    assert not view.inputs["view"]["useLegacySql"]
    assert re.findall(r"`(.+?)`", view.inputs["view"]["query"]) == [
        f"{base}.usage",
        f"{base}.predictions",
    ]
    materialized = cloud.one(TABLE, "serving-usage")
    assert f"`{base}.predictions`" in materialized.inputs["materializedView"]["query"]
    assert materialized.inputs["materializedView"]["refreshIntervalMs"] == 3_600_000
    assert cloud.requires(view, materialized)
    assert cloud.requires(materialized, cloud.one(TABLE, "serving-predictions"))


def test_a_table_without_columns_is_a_prediction_log(deploy: Deploy):
    cloud = deploy(lambda: Warehouse("serving", arguments.WAREHOUSE))
    log = cloud.one(TABLE, "serving-predictions").inputs
    assert all(f'"{field["name"]}"' in log["schema"] for field in PREDICTION_LOG)
    assert log["timePartitioning"] == {"type": "DAY", "field": "requested_at"}
    assert log["clusterings"] == ["model"]


def test_a_table_that_no_view_reads_is_queried_by_day_only(deploy: Deploy):
    cloud = deploy(lambda: Warehouse("serving", arguments.WAREHOUSE))
    assert cloud.one(TABLE, "serving-scores").inputs["requirePartitionFilter"]
    assert not cloud.one(TABLE, "serving-predictions").inputs["requirePartitionFilter"]


def test_a_key_encrypts_datasets_and_every_table_with_data(deploy: Deploy):
    cloud = deploy(lambda: Warehouse("serving", {**arguments.WAREHOUSE, "kms_key": arguments.KEY}))
    for dataset in cloud.all(DATASET):
        assert dataset.inputs["defaultEncryptionConfiguration"] == {"kmsKeyName": arguments.KEY}
    for name in ("predictions", "scores", "usage"):
        table = cloud.one(TABLE, f"serving-{name}").inputs
        assert table["encryptionConfiguration"] == {"kmsKeyName": arguments.KEY}


def test_ids_wait_for_those_who_use_them(deploy: Deploy):
    def program() -> Any:
        made = Warehouse("serving", arguments.WAREHOUSE)

        async def kinds(output: pulumi.Output[str]) -> set[str]:
            return {type(resource).__name__ for resource in await output.resources()}

        return pulumi.Output.all(
            made.table_ids["predictions"],
            kinds(made.table_ids["predictions"]),
            made.view_ids["models"],
        )

    table, waited_for, view = deploy(program).value
    assert table == f"{PROJECT_ID}.serving.predictions"
    assert "IamMember" in waited_for
    assert view == f"{PROJECT_ID}.serving_views.models"


def test_a_key_may_be_used_by_the_agents_before_data_is_made(deploy: Deploy):
    def program() -> None:
        access = KeyAccess("key", arguments.KEY_ACCESS)
        LakeBucket("raw", {**arguments.BUCKET, "kms_key": access.key})

    cloud = deploy(
        program,
        answers={
            "gcp:bigquery/getDefaultServiceAccount:getDefaultServiceAccount": {"email": "bq@g"},
            "gcp:storage/getProjectServiceAccount:getProjectServiceAccount": {
                "emailAddress": "gs@g"
            },
        },
    )
    role = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
    keys = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"
    assert grants(cloud, keys) == {(role, "serviceAccount:bq@g"), (role, "serviceAccount:gs@g")}
    for grant in cloud.all(keys):
        assert cloud.requires(cloud.one(BUCKET), grant)


def test_every_agent_that_gets_a_key_is_known(deploy: Deploy):
    args: KeyAccessArgs = {**arguments.KEY_ACCESS, "services": ["storage", "pubsub"]}
    with pytest.raises(pulumi.InputPropertiesError, match=r"services\[1\]: found 'pubsub'"):
        deploy(lambda: KeyAccess("key", args))


def test_redis_has_tls_a_password_and_an_address_in_the_network_only(deploy: Deploy):
    cloud = deploy(lambda: RedisCache("cache", arguments.CACHE))
    instance = cloud.one(REDIS).inputs
    assert instance["authEnabled"]
    assert instance["transitEncryptionMode"] == "SERVER_AUTHENTICATION"
    assert instance["connectMode"] == "PRIVATE_SERVICE_ACCESS"
    assert instance["authorizedNetwork"] == arguments.NETWORK
    assert instance["reservedIpRange"] == "inference-services"
    assert instance["tier"] == "BASIC"


def test_the_password_is_a_secret_that_only_readers_see(deploy: Deploy):
    cloud = deploy(lambda: RedisCache("cache", arguments.CACHE).password_secret)
    version = cloud.one(SECRET_VERSION)
    assert version.inputs["secretDataWo"] == "made-by-redis"
    assert "secretDataWo" in version.secret_inputs
    assert grants(cloud, SECRET_GRANT) == {("roles/secretmanager.secretAccessor", arguments.LOADER)}
    assert "made-by-redis" not in str(cloud.outputs)
    assert cloud.value == f"projects/{PROJECT_ID}/secrets/cache-password"


def test_read_replicas_are_asked_for_together(deploy: Deploy):
    args = {**arguments.CACHE, "tier": "standard", "memory_gib": 5, "read_replicas": 2}
    instance = deploy(lambda: RedisCache("cache", cast("Any", args))).one(REDIS).inputs
    assert instance["tier"] == "STANDARD_HA"
    assert instance["readReplicasMode"] == "READ_REPLICAS_ENABLED"
    assert instance["replicaCount"] == 2


def test_services_come_after_the_connection_to_their_range(deploy: Deploy):
    def program() -> None:
        access = PrivateServiceAccess("net", arguments.SERVICE_ACCESS)
        RedisCache(
            "cache",
            {
                **arguments.CACHE,
                "network": access.network_id,
                "range_name": access.range_name,
            },
        )

    cloud = deploy(program)
    address = cloud.one("gcp:compute/globalAddress:GlobalAddress")
    assert (address.inputs["address"], address.inputs["prefixLength"]) == ("10.22.0.0", 24)
    assert address.inputs["purpose"] == "VPC_PEERING"
    connection = cloud.one("gcp:servicenetworking/connection:Connection")
    assert connection.inputs["reservedPeeringRanges"] == ["net-services"]
    assert cloud.requires(cloud.one(REDIS), connection)


def test_a_peering_goes_with_its_connection_though_services_still_hold_it(deploy: Deploy):
    cloud = deploy(lambda: PrivateServiceAccess("net", arguments.SERVICE_ACCESS) and None)
    connection = cloud.one("gcp:servicenetworking/connection:Connection")
    assert connection.inputs["deletionPolicy"] == "REMOVE_PEERING"


OTHER_KEY = "projects/a/locations/europe-west1/keyRings/r/cryptoKeys/k"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"storage_class": "COLD"}, "storage_class"),
        ({"colder_after_days": {"STANDARD": 10}}, "colder_after_days.STANDARD"),
        ({"colder_after_days": {"NEARLINE": 90, "COLDLINE": 30}}, "colder_after_days.NEARLINE"),
        ({"colder_after_days": {"NEARLINE": 0}}, "colder_after_days.NEARLINE"),
        ({"delete_after_days": 100}, "delete_after_days"),
        ({"retention_days": 7}, "retention_days"),
        ({"versioning": False, "retention_days": 0}, "retention_days"),
        ({"soft_delete_days": 3}, "soft_delete_days"),
        ({"old_versions_days": 0}, "old_versions_days"),
        ({"kms_key": OTHER_KEY}, "kms_key"),
    ],
)
def test_a_bucket_that_cannot_be_is_refused(change: Any, path: str):
    problems = validate_lake_bucket("raw", cast("Any", {**arguments.BUCKET, **change}))
    assert paths(problems) == [path]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"tables": {"a-b": {}}, "materialized_views": {}, "views": {}}, "tables.a-b"),
        (
            {"materialized_views": {"usage": {"query": "SELECT 1"}}},
            "materialized_views.usage.query",
        ),
        ({"views": {"models": {"query": "SELECT 1 FROM {logs}"}}}, "views.models.query"),
        ({"views": {"models": {"query": "SELECT 1 FROM {models}"}}}, "views.models.query"),
        (
            {
                "materialized_views": {
                    "usage": {"query": "SELECT 1 FROM {scores}", "refresh_minutes": 0}
                }
            },
            "materialized_views.usage.refresh_minutes",
        ),
        (
            {"tables": {**arguments.WAREHOUSE["tables"], "usage": {}}},
            "materialized_views.usage",
        ),
        (
            {
                "tables": {
                    **arguments.WAREHOUSE["tables"],
                    "more": {"cluster_by": ["model", "none"]},
                }
            },
            "tables.more.cluster_by[1]",
        ),
        ({"kms_key": OTHER_KEY}, "kms_key"),
    ],
)
def test_a_warehouse_that_cannot_be_is_refused(change: Any, path: str):
    problems = validate_warehouse("serving", cast("Any", {**arguments.WAREHOUSE, **change}))
    assert paths(problems) == [path]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"tier": "premium"}, "tier"),
        ({"memory_gib": 0}, "memory_gib"),
        ({"memory_gib": 301}, "memory_gib"),
        ({"memory_gib": 5, "read_replicas": 1}, "read_replicas"),
        ({"tier": "standard", "memory_gib": 4, "read_replicas": 1}, "memory_gib"),
        ({"tier": "standard", "memory_gib": 5, "read_replicas": 6}, "read_replicas"),
    ],
)
def test_a_cache_that_cannot_be_is_refused(change: Any, path: str):
    assert paths(validate_redis_cache("cache", cast("Any", {**arguments.CACHE, **change}))) == [
        path
    ]


def test_keys_and_ranges_that_cannot_be_are_refused():
    assert paths(Problems.of(KeyAccessArgs, {"project": "p", "key": "k", "services": ["dns"]})) == [
        "key",
        "services[0]",
    ]
    access: Any = {**arguments.SERVICE_ACCESS, "range": "10.22.0.0/28"}
    assert paths(validate_private_service_access("n", access)) == ["range"]


@pytest.mark.parametrize(
    "program",
    [
        lambda: LakeBucket("I", arguments.BUCKET),
        lambda: Warehouse("I.", arguments.WAREHOUSE),
        lambda: RedisCache("I", arguments.CACHE),
        lambda: PrivateServiceAccess("I", arguments.SERVICE_ACCESS),
    ],
)
def test_what_is_refused_is_not_made(deploy: Deploy, program: Any):
    with pytest.raises(pulumi.InputPropertiesError, match="name: found 'I"):
        deploy(program)

"""Keys of one's own on everything that takes one, from one entry of the config."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from catalog.encryption import encrypted, left_out
from catalog.needs import api_of
from config.load import from_mapping
from sandbox.sdk_shapes import AnyOf, ListOf, MapOf, ObjectOf, Shape
from sandbox.sdk_types import resource_type
from stacks.platform import build_platform
from tests.config.samples import SOURCE, changed
from tests.unit.harness import Cloud, Recorded, run

KEY = "gcp:kms/cryptoKey:CryptoKey"
GRANT = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"
ADMINS = "group:key-admins@acme.com"
GIVEN = "projects/acme-keys/locations/us-central1/keyRings/data/cryptoKeys/all"
LAKE = "projects/acme-keys/locations/us-central1/keyRings/data/cryptoKeys/lake"
DATAFLOW = {"fields": [{"name": "text", "type": "STRING"}]}
FEATURES = {
    "fields": [
        {"name": "user", "type": "STRING"},
        {"name": "feature_timestamp", "type": "TIMESTAMP"},
        {"name": "orders", "type": "INTEGER"},
    ],
    "partition_field": "feature_timestamp",
}
STORE = {
    "region": "us-central1",
    "groups": {"users": {"table": "serving.features", "entity_columns": ["user"]}},
}
NAMES_A_KEY = re.compile(
    r"kms\w*(key|name)|cmek|encryptionKey|databaseEncryption|managedKey$", re.I
)
DEEPEST = 10


def built(**settings: Any) -> Cloud:
    """Build a stack of every kind of thing, encrypted as said."""
    platform = from_mapping(
        changed(
            ("encryption", {"rotation_days": 30, "administrators": [ADMINS], **settings}),
            ("data|lake|raw|kms_key", LAKE),
            ("pipelines|sentiment|dataflow", DATAFLOW),
            ("data|warehouse|serving|tables|features", FEATURES),
            ("feature_store", STORE),
            ("vector_indexes|documents", {"region": "us-central1", "dimensions": 768}),
        ),
        SOURCE,
    )
    return run(lambda: build_platform(platform) and None)


@pytest.fixture(scope="module")
def cloud() -> Cloud:
    return built()


@pytest.fixture(scope="module")
def given() -> Cloud:
    return built(keys=[GIVEN])


def keys_of(resource: Recorded) -> list[str]:
    """Return the keys that a resource names, wherever it does."""
    return re.findall(r"projects/[^']+/cryptoKeys/[^']+", str(resource.inputs))


def places_of(resource: Recorded) -> set[str]:
    return {key.split("/")[3] for key in keys_of(resource)}


def test_everything_that_takes_a_key_names_one_of_its_place(cloud: Cloud) -> None:
    takes = [each for each in cloud.resources if each.type in encrypted()]
    of_the_platform = {type_ for type_, row in encrypted().items() if row.agents}
    assert {each.type for each in takes} >= of_the_platform
    for each in takes:
        place = each.inputs.get("location") or each.inputs.get("region") or "us-central1"
        expected = "global" if "auto" in each.inputs.get("replication", {}) else place
        assert places_of(each) == {expected}, each.name


def test_each_agent_may_use_the_keys_it_has_data_under_before_that_and_no_other(
    cloud: Cloud,
) -> None:
    grants = {
        (each.inputs["cryptoKeyId"], each.name.rpartition("-")[2]): each
        for each in cloud.all(GRANT)
    }
    assert len(grants) == len(cloud.all(GRANT))
    used: set[tuple[str, str]] = set()
    for each in cloud.resources:
        if each.type in encrypted():
            needed = {
                (key, api_of(agent))
                for key in keys_of(each)
                for agent in encrypted()[each.type].agents
            }
            assert all(cloud.requires(each, grants[pair]) for pair in needed), each.name
            used |= needed
    assert used == set(grants)
    assert {each.inputs["role"] for each in grants.values()} == {
        "roles/cloudkms.cryptoKeyEncrypterDecrypter"
    }


def test_keys_rotate_and_outlive_the_stack(cloud: Cloud) -> None:
    keys = cloud.all(KEY)
    assert {each.inputs["name"] for each in keys} == {"inference-us-central1", "inference-global"}
    for each in keys:
        assert each.inputs["rotationPeriod"] == "2592000s"
        assert each.inputs["deletionPolicy"] == "PREVENT"
        assert each.retain_on_delete


def test_who_manages_keys_cannot_use_them(cloud: Cloud) -> None:
    managed = cloud.all("gcp:kms/keyRingIAMMember:KeyRingIAMMember")
    assert {(each.inputs["role"], each.inputs["member"]) for each in managed} == {
        ("roles/cloudkms.admin", ADMINS)
    }
    assert ADMINS not in {each.inputs["member"] for each in cloud.all(GRANT)}


def test_keys_that_are_there_are_used_and_not_made(given: Cloud) -> None:
    assert [each.inputs["name"] for each in given.all(KEY)] == ["inference-global"]
    assert keys_of(given.one("gcp:container/cluster:Cluster")) == [GIVEN]


def test_a_bucket_that_names_a_key_keeps_it(cloud: Cloud) -> None:
    bucket = cloud.one("gcp:storage/bucket:Bucket", "raw-.*")
    assert keys_of(bucket) == [LAKE]
    (grant,) = (each for each in cloud.all(GRANT) if each.inputs["cryptoKeyId"] == LAKE)
    assert cloud.requires(bucket, grant)


def test_without_the_entry_only_what_names_a_key_has_one() -> None:
    platform = from_mapping(changed(("data|lake|raw|kms_key", LAKE)), SOURCE)
    cloud = run(lambda: build_platform(platform) and None)
    assert not cloud.all(KEY)
    assert [each.inputs["cryptoKeyId"] for each in cloud.all(GRANT)] == [LAKE]


@cache
def named(type_: str) -> frozenset[str]:
    """Return the properties of a type that name a key, by the SDK."""
    kind = resource_type(type_)
    assert kind is not None
    paths = [path for name, each in kind.inputs.items() for path in _paths(each.shape, name)]
    return frozenset(path for path in paths if NAMES_A_KEY.search(path))


def _paths(shape: Shape, path: str) -> Iterator[str]:
    if isinstance(shape, ObjectOf):
        if path.count(".") < DEEPEST:
            for name, each in shape.properties.items():
                yield from _paths(each.shape, f"{path}.{name}")
    elif isinstance(shape, ListOf):
        yield from _paths(shape.item, f"{path}[]")
    elif isinstance(shape, MapOf):
        yield from _paths(shape.value, path)
    elif isinstance(shape, AnyOf):
        for each in shape.options:
            yield from _paths(each, path)
    else:
        yield path


def test_the_table_has_every_property_of_the_platforms_types_that_names_a_key(
    cloud: Cloud,
) -> None:
    for type_ in {each.type for each in cloud.resources if re.match("gcp:.*/", each.type)}:
        keys = encrypted()[type_].keys if type_ in encrypted() else ()
        assert named(type_) - {*keys, *left_out().get(type_, ())} == set(), type_


@pytest.mark.parametrize("type_", sorted({*encrypted(), *left_out()}))
def test_every_row_is_a_property_of_the_sdk(type_: str) -> None:
    kind = resource_type(type_)
    assert kind is not None
    paths = {path for name, each in kind.inputs.items() for path in _paths(each.shape, name)}
    keys = encrypted()[type_].keys if type_ in encrypted() else ()
    listed = paths | {path.removesuffix("[]") for path in paths}
    assert {path for path in (*keys, *left_out().get(type_, ())) if path not in listed} == set()

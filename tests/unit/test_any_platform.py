"""Whatever the config lets through can be made: no component refuses what the checks passed."""

import copy
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from config.errors import ConfigError
from config.load import from_mapping
from config.platform import Platform
from stacks.data import build_data
from stacks.foundation import build_foundation
from stacks.images import build_images
from stacks.serverless import build_serverless
from stacks.services import build_services
from tests.config.samples import SOURCE, values
from tests.unit.harness import run

PROTO = 'syntax = "proto3"; message Text { string text = 1; repeated uint64 counts = 2; }'
AVRO = """{"type": "record", "name": "Text", "fields": [
  {"name": "text", "type": "string"}, {"name": "stars", "type": ["null", "int"]}]}"""
FILTERS = ['attributes.lang = "en"', "NOT attributes:draft", 'hasPrefix(attributes.id, "a-")']
CLASSES = ["STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE"]


def some(**choices: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return any of the keys, each with a value of its own."""
    return st.fixed_dictionaries({}, optional=choices)


def days(least: int = 1, most: int = 400) -> st.SearchStrategy[int]:
    return st.integers(least, most)


containers = some(
    cpu=st.sampled_from(["1", "2", "4", "6", "8"]),
    memory_mib=st.sampled_from([512, 1024, 2048, 4096, 8192, 16384, 32768]),
    gpu=st.sampled_from([None, "nvidia-l4"]),
    min_instances=st.integers(0, 3),
    max_instances=st.integers(1, 1000),
    concurrency=st.integers(1, 1000),
    health_path=st.sampled_from(["none", "/", "/healthz"]),
    ready_path=st.sampled_from([None, "/readyz"]),
    environment=st.dictionaries(st.sampled_from(["A", "B_2", "_c"]), st.text(max_size=5)),
)
exports = some(
    use_topic_schema=st.booleans(),
    partition_expiration_days=days(),
    filter=st.sampled_from(FILTERS),
)
archives = some(
    storage_class=st.sampled_from(CLASSES),
    retention_days=days(),
    format=st.sampled_from(["avro", "text"]),
    max_seconds=st.integers(60, 600),
    max_bytes=st.sampled_from([None, 1000, 10 * 2**30]),
)
pipelines = some(
    timeout_seconds=st.integers(1, 600),
    ack_deadline_seconds=st.integers(10, 600),
    max_delivery_attempts=st.integers(5, 100),
    retry=some(minimum_seconds=st.integers(0, 600), maximum_seconds=st.integers(0, 600)),
    retention_days=st.integers(1, 31),
    filter=st.sampled_from(FILTERS),
    ordering=st.booleans(),
    message_schema=st.sampled_from(
        [
            {"type": type_, "definition": definition, "encoding": encoding}
            for type_, definition in (("avro", AVRO), ("protobuf", PROTO))
            for encoding in ("json", "binary")
        ]
    ),
    archive=archives,
    bigquery_export=exports,
    exactly_once_pull=st.booleans(),
    dataflow=st.sampled_from([None, {"fields": [{"name": "text", "type": "STRING"}]}]),
)
gateways = some(
    region=st.sampled_from(["us-central1", "us-east4"]),
    api_key=st.booleans(),
    jwt=st.just(
        {
            "issuer": "https://accounts.google.com",
            "jwks_uri": "https://www.googleapis.com/oauth2/v3/certs",
            "audiences": ["chat"],
        }
    ),
    requests_per_minute=st.integers(1, 1_000_000),
).map(lambda given: {"document": "services/llm_backend/openapi.yaml", **given})
balancers = some(
    # The internal one's certificate and a key's users are answers of the cloud: engine tests.
    kind=st.sampled_from(["regional-external", "global-external"]),
    certificate=st.just("projects/acme/locations/us-central1/certificates/chat"),
    requests_per_minute=st.integers(1, 1_000_000),
    allowed_ranges=st.lists(st.sampled_from(["203.0.113.0/24", "2001:db8::/32"]), max_size=2),
    waf_rules=st.lists(st.sampled_from(["sqli", "cve"]), max_size=2),
).map(lambda given: {"hostname": "chat.acme.com", "kind": "global-external", **given})
no_front: dict[str, Any] = {"front": "none"}
fronts = (
    st.just(no_front)
    | gateways.map(lambda each: {"front": "api_gateway", "api_gateway": each})
    | balancers.map(lambda each: {"front": "load_balancer", "load_balancer": each})
)
services = some(
    timeout_seconds=st.integers(1, 3600),
    egress=st.sampled_from([None, "none", "private-ranges", "all"]),
    ingress=st.sampled_from([None, "internal", "load-balancer", "all"]),
    iap=st.sampled_from([[], ["group:support@acme.com"]]),
    binary_authorization=st.booleans(),
    custom_audiences=st.sampled_from([[], ["https://chat.acme.com"]]),
    revision=st.sampled_from([None, "v2"]),
    traffic=st.sampled_from(
        [
            [],
            [{"revision": "v1", "percent": 100}],
            [{"revision": "v1", "percent": 90}, {"revision": "v2", "percent": 10, "tag": "next"}],
            [{"revision": "v2", "percent": 0, "tag": "green"}, {"revision": "v1", "percent": 100}],
        ]
    ),
    secret_files=st.sampled_from([{}, {"/a/key": "api-key"}, {"/a/b/c": "redis-url:2"}]),
)
buckets = some(
    storage_class=st.sampled_from(CLASSES),
    colder_after_days=st.dictionaries(st.sampled_from(CLASSES[1:]), days(), max_size=2),
    delete_after_days=days(),
    retention_days=days(),
    soft_delete_days=st.integers(0, 90),
    versioning=st.booleans(),
)
caches = some(
    memory_gib=st.integers(1, 300),
    tier=st.sampled_from(["basic", "standard"]),
    read_replicas=st.integers(0, 5),
)


Part = tuple[tuple[str, ...], tuple[dict[str, Any], ...]]
parts = st.tuples(
    st.tuples(st.just(("pipelines", "sentiment")), st.tuples(containers, pipelines)),
    st.tuples(st.just(("services", "chat")), st.tuples(containers, services, fronts)),
    st.tuples(st.just(("data", "lake", "raw")), st.tuples(buckets)),
    st.tuples(st.just(("data", "cache")), st.tuples(caches)),
)


@settings(max_examples=25, deadline=None, phases=[Phase.generate])
@given(parts)
def test_a_config_that_loads_can_be_made(chosen: tuple[Part, ...]) -> None:
    config = small()
    platform = from_mapping(config, SOURCE)
    for part in chosen:
        # One that is refused is left out: hardly any config would load with all of them.
        changed = with_part(config, part)
        try:
            platform = from_mapping(changed, SOURCE)
        except ConfigError as error:
            assert error.problems
        else:
            config = changed
    run(lambda: made(platform))


def with_part(config: dict[str, Any], part: Part) -> dict[str, Any]:
    changed = copy.deepcopy(config)
    place, settings_ = part
    section: Any = changed
    for step in place:
        section = section[step]
    for each in settings_:
        section |= copy.deepcopy(each)
    return changed


def small() -> dict[str, Any]:
    """Return the sample, its service without models and without what only fits its own front."""
    config = values()
    for key in ("front", "api_gateway", "revision", "traffic", "models"):
        del config["services"]["chat"][key]
    return config


def made(platform: Platform) -> None:
    """Make what is serverless, and what it stands on."""
    foundation = build_foundation(platform)
    images = build_images(platform, foundation)
    pipes = build_serverless(platform, foundation, images)
    data = build_data(platform, foundation, pipes)
    build_services(platform, foundation, {}, images, data.cache)

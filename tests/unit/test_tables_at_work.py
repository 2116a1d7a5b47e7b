"""What fills tables, what must hold of their rows, and features that are served of them."""

import pulumi
import pytest

from components.data.data_quality import ColumnRule, DataQuality, DataQualityArgs
from components.data.scheduled_query import ScheduledQuery, ScheduledQueryArgs
from components.vertex.feature_store import FeatureGroup, FeatureStore, FeatureStoreArgs
from components.vertex.vector_index import VectorIndex, VectorIndexArgs
from tests.unit import examples
from tests.unit.harness import Cloud, Deploy

SCAN: DataQualityArgs = examples.arguments("DataQuality")
QUERY: ScheduledQueryArgs = examples.arguments("ScheduledQuery")
FEATURES: FeatureStoreArgs = examples.arguments("FeatureStore")
INDEX: VectorIndexArgs = examples.arguments("VectorIndex")
DATASCAN = "gcp:dataplex/datascan:Datascan"
TRANSFER = "gcp:bigquery/dataTransferConfig:DataTransferConfig"
ALERT = "gcp:monitoring/alertPolicy:AlertPolicy"
VIEW = "gcp:vertex/aiFeatureOnlineStoreFeatureview:AiFeatureOnlineStoreFeatureview"
TOLD = ["projects/acme-inference-test/notificationChannels/1"]


def found_by(cloud: Cloud) -> str:
    (condition,) = cloud.one(ALERT).inputs["conditions"]
    return condition["conditionMatchedLog"]["filter"]


def test_each_rule_is_one_of_dataplex(deploy: Deploy):
    cloud = deploy(lambda: DataQuality("predictions", SCAN))
    rules = cloud.one(DATASCAN, "predictions-quality").inputs["dataQualitySpec"]["rules"]
    assert {rule["name"]: rule["dimension"] for rule in rules} == {
        "fewest-rows": "VOLUME",
        "unique-request-id": "UNIQUENESS",
        "range-latency-ms": "VALIDITY",
        "values-finish-reason": "VALIDITY",
    }
    by_name = {rule["name"]: rule for rule in rules}
    assert by_name["fewest-rows"]["tableConditionExpectation"] == {"sqlExpression": "COUNT(*) >= 1"}
    bounds = by_name["range-latency-ms"]["rangeExpectation"]
    assert bounds == {"minValue": "0", "maxValue": "600000"}
    assert by_name["range-latency-ms"]["threshold"] == 0.99
    assert by_name["values-finish-reason"]["ignoreNull"]


def test_scans_read_what_is_new_and_are_shown_in_the_catalogue(deploy: Deploy):
    cloud = deploy(lambda: DataQuality("predictions", SCAN))
    quality, profile = (
        cloud.one(DATASCAN, f"predictions-{what}").inputs for what in ("quality", "profile")
    )
    assert quality["executionSpec"]["field"] == "requested_at"
    assert quality["data"]["resource"] == (
        "//bigquery.googleapis.com/projects/acme-inference-test/datasets/inference"
        "/tables/predictions"
    )
    assert quality["dataQualitySpec"]["catalogPublishingEnabled"]
    assert profile["dataProfileSpec"] == {"catalogPublishingEnabled": True}
    alone = deploy(lambda: DataQuality("predictions", {**SCAN, "profile": False}))
    assert len(alone.all(DATASCAN)) == 1


def test_a_rule_that_fails_and_a_scan_that_fails_are_told(deploy: Deploy):
    cloud = deploy(lambda: DataQuality("predictions", {**SCAN, "channels": TOLD}))
    assert 'resource.labels.datascan_id="predictions-quality"' in found_by(cloud)
    assert "NOT jsonPayload.dataQuality.passed=true" in found_by(cloud)
    assert '"dataplex.googleapis.com/data_scan_state"="FAILED"' in found_by(cloud)
    assert cloud.one(ALERT).inputs["notificationChannels"] == TOLD


def test_scans_grant_nothing(deploy: Deploy):
    cloud = deploy(lambda: DataQuality("predictions", SCAN))
    assert not [each.type for each in cloud.resources if "iam" in each.type.lower()]


@pytest.mark.parametrize("rule", [{}, {"required": False}, {"minimum": 2, "maximum": 1}])
def test_a_rule_that_says_nothing_is_refused(deploy: Deploy, rule: ColumnRule):
    with pytest.raises(pulumi.InputPropertiesError, match=r"rules\.latency_ms"):
        deploy(lambda: DataQuality("predictions", {**SCAN, "rules": {"latency_ms": rule}}))


def test_a_query_adds_rows_under_full_names(deploy: Deploy):
    cloud = deploy(lambda: ScheduledQuery("features", QUERY))
    config = cloud.one(TRANSFER).inputs
    assert config["params"]["query"].startswith(
        "INSERT INTO `acme-inference-test.features.consumers` SELECT consumer, "
    )
    assert "FROM `acme-inference-test.inference.predictions` WHERE" in config["params"]["query"]
    assert config["schedule"] == "every day 03:00"
    # With a dataset named, the service would have to be let change it.
    assert "destinationDatasetId" not in config


def test_a_query_may_read_what_it_names_and_write_what_it_fills(deploy: Deploy):
    more = {**QUERY["sources"], "other.table": "acme-inference-test.other.table"}
    cloud = deploy(lambda: ScheduledQuery("features", {**QUERY, "sources": more}))
    email = cloud.one(TRANSFER).inputs["serviceAccountName"]
    held = {
        (str(each.inputs["role"]).rpartition("/")[2], each.inputs.get("tableId", ""))
        for each in cloud.resources
        if each.inputs.get("member") == f"serviceAccount:{email}"
    }
    assert held == {
        ("bigquery.jobUser", ""),
        ("bigquery.dataEditor", "consumers"),
        ("bigquery.dataViewer", "predictions"),
    }


def test_a_run_that_fails_is_told(deploy: Deploy):
    cloud = deploy(lambda: ScheduledQuery("features", {**QUERY, "channels": TOLD}))
    number = cloud.one(TRANSFER).id.rpartition("/")[2]
    assert f'resource.labels.config_id="{number}" AND severity>=ERROR' in found_by(cloud)
    assert cloud.one(ALERT).inputs["notificationChannels"] == TOLD


def test_a_query_of_what_it_is_not_given_is_refused(deploy: Deploy):
    with pytest.raises(pulumi.InputPropertiesError, match="add it to sources"):
        deploy(lambda: ScheduledQuery("features", {**QUERY, "sources": {}}))


def test_features_are_served_by_bounded_nodes_and_kept_fresh(deploy: Deploy):
    cloud = deploy(lambda: FeatureStore("inference-features", FEATURES))
    store = cloud.one("gcp:vertex/aiFeatureOnlineStore:AiFeatureOnlineStore").inputs
    assert store["bigtable"]["autoScaling"] == {
        "minNodeCount": 1,
        "maxNodeCount": 3,
        "cpuUtilizationTarget": 60,
    }
    assert "dedicatedServingEndpoint" not in store
    view = cloud.one(VIEW).inputs
    assert view["syncConfig"] == {"cron": "0 * * * *"}
    assert view["featureRegistrySource"]["featureGroups"] == [
        {"featureGroupId": "consumers", "featureIds": ["requests"]}
    ]


def test_features_are_asked_by_those_of_their_group_alone(deploy: Deploy):
    shops: FeatureGroup = {**FEATURES["groups"]["consumers"], "readers": {}}
    groups = {**FEATURES["groups"], "shops": shops}
    cloud = deploy(lambda: FeatureStore("inference-features", {**FEATURES, "groups": groups}))
    (grant,) = cloud.all(
        "gcp:vertex/aiFeatureOnlineStoreFeatureviewIamMember:AiFeatureOnlineStoreFeatureviewIamMember"
    )
    assert grant.inputs["role"] == "roles/aiplatform.featurestoreDataViewer"
    assert grant.inputs["featureView"] == "consumers"


def test_an_index_is_reached_in_the_network_alone(deploy: Deploy):
    cloud = deploy(lambda: VectorIndex("documents", INDEX))
    endpoint = cloud.one("gcp:vertex/aiIndexEndpoint:AiIndexEndpoint").inputs
    assert endpoint["privateServiceConnectConfig"] == {
        "enablePrivateServiceConnect": True,
        "projectAllowlists": [INDEX["project"]],
        "pscAutomationConfigs": [{"projectId": INDEX["project"], "network": INDEX["network"]}],
    }
    assert "publicEndpointEnabled" not in endpoint


@pytest.mark.parametrize(
    ("size", "machine"),
    [("small", "e2-standard-2"), ("medium", "e2-standard-16"), ("large", "e2-highmem-16")],
)
def test_an_index_has_machines_that_hold_its_shards(deploy: Deploy, size: str, machine: str):
    cloud = deploy(lambda: VectorIndex("documents", {**INDEX, "shard_size": size}))
    config = cloud.one("gcp:vertex/aiIndex:AiIndex").inputs["metadata"]["config"]
    assert config["shardSize"] == f"SHARD_SIZE_{size.upper()}"
    assert config["distanceMeasureType"] == "DOT_PRODUCT_DISTANCE"
    deployed = cloud.one("gcp:vertex/aiIndexEndpointDeployedIndex:AiIndexEndpointDeployedIndex")
    assert deployed.inputs["dedicatedResources"] == {
        "machineSpec": {"machineType": machine},
        "minReplicaCount": 1,
        "maxReplicaCount": 1,
    }


def test_whoever_fills_an_index_may_do_that_alone(deploy: Deploy):
    cloud = deploy(lambda: VectorIndex("documents", INDEX))
    role = cloud.one("gcp:projects/iAMCustomRole:IAMCustomRole").inputs
    assert role["permissions"] == ["aiplatform.indexes.get", "aiplatform.indexes.update"]
    without = deploy(lambda: VectorIndex("documents", {**INDEX, "writers": {}}))
    assert not without.all("gcp:projects/iAMCustomRole:IAMCustomRole")

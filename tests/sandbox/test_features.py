"""What Google Cloud refuses of features, indexes and scans."""

from typing import Any

import pytest

from tests.sandbox.client import Client, RefusedError

GROUP = "gcp:vertex/aiFeatureGroup:AiFeatureGroup"
FEATURE = "gcp:vertex/aiFeatureGroupFeature:AiFeatureGroupFeature"
STORE = "gcp:vertex/aiFeatureOnlineStore:AiFeatureOnlineStore"
VIEW = "gcp:vertex/aiFeatureOnlineStoreFeatureview:AiFeatureOnlineStoreFeatureview"
INDEX = "gcp:vertex/aiIndex:AiIndex"
ENDPOINT = "gcp:vertex/aiIndexEndpoint:AiIndexEndpoint"
DEPLOYED = "gcp:vertex/aiIndexEndpointDeployedIndex:AiIndexEndpointDeployedIndex"
SCAN = "gcp:dataplex/datascan:Datascan"
PLACE = {"region": "us-central1"}
NODES = {"autoScaling": {"minNodeCount": 1, "maxNodeCount": 2}}


@pytest.fixture
def cloud(gcp: Client) -> Client:
    gcp.enable("aiplatform", "bigquery", "dataplex")
    gcp.create("gcp:bigquery/dataset:Dataset", {"datasetId": "d"})
    gcp.create("gcp:bigquery/table:Table", {"datasetId": "d", "tableId": "t"})
    return gcp


def group(table: str) -> dict[str, Any]:
    return {**PLACE, "name": "users", "bigQuery": {"bigQuerySource": {"inputUri": f"bq://{table}"}}}


def test_features_are_of_a_table_that_is_there(cloud: Client) -> None:
    with pytest.raises(RefusedError, match="datasets/d/tables/gone"):
        cloud.create(GROUP, group("acme.d.gone"))
    assert cloud.create(GROUP, group("acme.d.t"))[0].endswith("/featureGroups/users")


def test_a_view_serves_a_group_that_is_there_from_a_store_that_is(cloud: Client) -> None:
    source = {"featureGroups": [{"featureGroupId": "users", "featureIds": ["orders"]}]}
    view = {**PLACE, "name": "users", "featureOnlineStore": "s", "featureRegistrySource": source}
    with pytest.raises(RefusedError, match="featureOnlineStores/s"):
        cloud.create(VIEW, view)
    store, _ = cloud.create(STORE, {**PLACE, "name": "s", "bigtable": NODES})
    with pytest.raises(RefusedError, match="featureGroups/users"):
        cloud.create(VIEW, view)
    cloud.create(GROUP, group("acme.d.t"))
    cloud.create(VIEW, view)
    with pytest.raises(RefusedError, match="FeatureOnlineStore has FeatureViews"):
        cloud.delete(STORE, store)


@pytest.mark.parametrize("kinds", [{}, {"bigtable": NODES, "optimized": {}}])
def test_a_store_serves_by_one_kind_of_machine(cloud: Client, kinds: dict[str, Any]) -> None:
    with pytest.raises(RefusedError, match=r"bigtable.*optimized"):
        cloud.create(STORE, {**PLACE, "name": "s", **kinds})


def test_a_name_with_a_hyphen_is_refused(cloud: Client) -> None:
    with pytest.raises(RefusedError, match="inference-features"):
        cloud.create(STORE, {**PLACE, "name": "inference-features", "bigtable": NODES})


def test_an_index_that_is_deployed_stays(cloud: Client) -> None:
    metadata = {"config": {"dimensions": 3}}
    index, _ = cloud.create(INDEX, {**PLACE, "displayName": "i", "metadata": metadata})
    endpoint, _ = cloud.create(ENDPOINT, {**PLACE, "displayName": "i"})
    deployed = {"deployedIndexId": "i", "index": index, "indexEndpoint": endpoint}
    cloud.create(DEPLOYED, deployed)
    with pytest.raises(RefusedError, match="Index is deployed"):
        cloud.delete(INDEX, index)
    with pytest.raises(RefusedError, match="IndexEndpoint has deployed indexes"):
        cloud.delete(ENDPOINT, endpoint)


def test_a_scan_reads_a_table_that_is_there(cloud: Client) -> None:
    scan: dict[str, Any] = {
        "location": "us-central1",
        "dataScanId": "t-quality",
        "executionSpec": {"trigger": {"onDemand": {}}},
        "dataProfileSpec": {},
    }
    tables = "//bigquery.googleapis.com/projects/acme/datasets/d/tables"
    with pytest.raises(RefusedError, match="datasets/d/tables/gone"):
        cloud.create(SCAN, {**scan, "data": {"resource": f"{tables}/gone"}})
    assert cloud.create(SCAN, {**scan, "data": {"resource": f"{tables}/t"}})[0]

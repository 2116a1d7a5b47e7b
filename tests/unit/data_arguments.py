"""Arguments of the data and Vertex AI components that tests share."""

from components.data.key_access import KeyAccessArgs
from components.data.lake_bucket import LakeBucketArgs
from components.data.redis_cache import RedisCacheArgs
from components.data.warehouse_arguments import WarehouseArgs
from components.network.private_service_access import PrivateServiceAccessArgs
from components.operations.vertex_alerts import VertexAlertsArgs
from components.operations.vertex_dashboard import VertexDashboardArgs
from components.vertex.vertex_connection import VertexConnectionArgs
from components.vertex.vertex_endpoint import VertexEndpointArgs
from tests.unit.cloud_answers import PROJECT_ID
from tests.unit.operations_arguments import CHANNEL, URL

NETWORK = f"projects/{PROJECT_ID}/global/networks/inference"
KEY = "projects/acme-keys/locations/us-central1/keyRings/data/cryptoKeys/one"
ANALYSTS = "group:analysts@acme.com"
LOADER = "serviceAccount:loader@acme.iam.gserviceaccount.com"

KEY_ACCESS: KeyAccessArgs = {
    "project": PROJECT_ID,
    "key": KEY,
    "services": ["bigquery", "storage"],
}
BUCKET: LakeBucketArgs = {
    "project": PROJECT_ID,
    "location": "us-central1",
    "colder_after_days": {"NEARLINE": 30, "ARCHIVE": 200},
    "delete_after_days": 900,
    "retention_days": 7,
    "versioning": True,
    "old_versions_days": 14,
    "kms_key": KEY,
    "readers": {"analysts": ANALYSTS},
    "writers": {"loader": LOADER},
}
WAREHOUSE: WarehouseArgs = {
    "project": PROJECT_ID,
    "location": "us-central1",
    "tables": {
        "predictions": {"writers": {"loader": LOADER}},
        "scores": {
            "fields": [
                {"name": "day", "type": "DATE", "mode": "REQUIRED"},
                {"name": "score", "type": "FLOAT"},
            ],
            "partition_field": "day",
            "partition_expiration_days": 30,
            "readers": {"analysts": ANALYSTS},
        },
    },
    "materialized_views": {
        "usage": {
            "query": "SELECT model, COUNT(*) AS n FROM {predictions} GROUP BY model",
            "refresh_minutes": 60,
        }
    },
    "views": {
        "models": {
            "query": "SELECT u.model FROM {usage} u JOIN {predictions} p USING (model)",
            "readers": {"analysts": ANALYSTS},
        }
    },
}
CACHE: RedisCacheArgs = {
    "project": PROJECT_ID,
    "region": "us-central1",
    "network": NETWORK,
    "range_name": "inference-services",
    "readers": {"loader": LOADER},
}
SERVICE_ACCESS: PrivateServiceAccessArgs = {
    "project": PROJECT_ID,
    "network": NETWORK,
    "range": "10.22.0.0/24",
}
CONNECTION: VertexConnectionArgs = {
    "project": PROJECT_ID,
    "region": "us-central1",
    "network": NETWORK,
    "subnetwork": f"projects/{PROJECT_ID}/regions/us-central1/subnetworks/nodes",
}
ENDPOINT: VertexEndpointArgs = {
    "project": PROJECT_ID,
    "region": "us-central1",
    "network": NETWORK,
    "model": "publishers/google/models/gemma3@gemma-3-4b-it",
    "machine_type": "g2-standard-24",
    "max_replicas": 3,
}
VERTEX_DASHBOARD: VertexDashboardArgs = {
    "project": PROJECT_ID,
    "endpoint_ids": {"gemma": "123", "qwen": "456"},
}
VERTEX_ALERTS: VertexAlertsArgs = {
    **VERTEX_DASHBOARD,
    "thresholds": {"errors_percent": 5},
    "channels": [CHANNEL],
    "dashboard_url": URL,
}

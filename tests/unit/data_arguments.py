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
from tests.unit import examples
from tests.unit.cloud_answers import PROJECT_ID

NETWORK = f"projects/{PROJECT_ID}/global/networks/inference"
KEY = "projects/acme-keys/locations/us-central1/keyRings/data/cryptoKeys/one"
ANALYSTS = "group:analysts@acme.com"
LOADER = "serviceAccount:loader@acme.iam.gserviceaccount.com"

KEY_ACCESS: KeyAccessArgs = examples.arguments("KeyAccess")
BUCKET: LakeBucketArgs = examples.arguments("LakeBucket")
WAREHOUSE: WarehouseArgs = examples.arguments("Warehouse")
CACHE: RedisCacheArgs = examples.arguments("RedisCache")
SERVICE_ACCESS: PrivateServiceAccessArgs = examples.arguments("PrivateServiceAccess")
CONNECTION: VertexConnectionArgs = examples.arguments("VertexConnection")
ENDPOINT: VertexEndpointArgs = examples.arguments("VertexEndpoint")
VERTEX_DASHBOARD: VertexDashboardArgs = examples.arguments("VertexDashboard")
VERTEX_ALERTS: VertexAlertsArgs = examples.arguments("VertexAlerts")

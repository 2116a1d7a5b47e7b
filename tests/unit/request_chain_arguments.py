"""Arguments of what stands in a Gateway's chain, for several tests."""

from components.api_management.apigee_api import ApigeeApiArgs
from components.api_management.apigee_backend import ApigeeBackendArgs
from components.api_management.apigee_operator_access import ApigeeOperatorAccessArgs
from components.api_management.apigee_organization import ApigeeOrganizationArgs
from components.inference.callout_service import CalloutServiceArgs
from components.inference.extensions import Extension
from components.inference.traffic_extension import TrafficExtensionArgs

MANAGEMENT: Extension = {
    "name": "api-management",
    "apigee_backend": "apigee",
    "whole_bodies": True,
    "metadata": {"apigee-extension-processor": "inference"},
}
SCREENING: Extension = {
    "name": "guardrail",
    "service": {"name": "nemo", "port": 50051},
    "whole_bodies": True,
}
CHAIN: TrafficExtensionArgs = {
    "namespace": "inference",
    "gateway_name": "gateway",
    "extensions": [MANAGEMENT, SCREENING],
}
CALLOUT: CalloutServiceArgs = {
    "namespace": "inference",
    "extension_name": "guardrail",
    "image": "us-docker.pkg.dev/acme/images/nemo:1.0",
    "port": 50051,
    "health_port": 50052,
    "environment": {"MODE": "strict"},
}
ORGANIZATION: ApigeeOrganizationArgs = {
    "project": "acme",
    "regions": ["us-central1", "us-east4"],
    "environment": "inference",
}
API: ApigeeApiArgs = {
    "organization": "acme",
    "environment": "inference",
    "hostname": "inference.acme.internal",
    "consumers": {
        "apps": {"requests_per_minute": 600, "quota": {"requests": 5000, "per": "day"}},
        "partner": {},
    },
}
OPERATOR_ACCESS: ApigeeOperatorAccessArgs = {
    "project": "acme",
    "organization": "acme-apigee",
    "workload_pool": "acme.svc.id.goog",
}
BACKEND: ApigeeBackendArgs = {
    "project": "acme",
    "region": "us-central1",
    "namespace": "inference",
    "network": "projects/acme/global/networks/inference",
    "subnetwork": "projects/acme/regions/us-central1/subnetworks/nodes",
    "organization": "acme-apigee",
    "environment": "inference",
    "proxy": "inference",
    "service_account": "apim@acme.iam.gserviceaccount.com",
}

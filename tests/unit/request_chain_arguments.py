"""Arguments of what stands in a Gateway's chain, for several tests."""

from components.api_management.apigee_api import ApigeeApiArgs
from components.api_management.apigee_backend import ApigeeBackendArgs
from components.api_management.apigee_operator_access import ApigeeOperatorAccessArgs
from components.api_management.apigee_organization import ApigeeOrganizationArgs
from components.inference.callout_service import CalloutServiceArgs
from components.inference.extensions import Extension
from components.inference.traffic_extension import TrafficExtensionArgs
from tests.unit import examples

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
CHAIN: TrafficExtensionArgs = examples.arguments("TrafficExtension")
CALLOUT: CalloutServiceArgs = examples.arguments("CalloutService")
ORGANIZATION: ApigeeOrganizationArgs = examples.arguments("ApigeeOrganization")
API: ApigeeApiArgs = examples.arguments("ApigeeApi")
OPERATOR_ACCESS: ApigeeOperatorAccessArgs = examples.arguments("ApigeeOperatorAccess")
BACKEND: ApigeeBackendArgs = examples.arguments("ApigeeBackend")

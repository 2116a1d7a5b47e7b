"""What the mocked cloud answers: ids, self links, emails and the like, in Google Cloud's forms."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

from sandbox.gcp.identifiers import make_id
from sandbox.gcp.naming import project_number
from sandbox.gcp.request import ProviderConfig, Request, effective
from sandbox.gcp.services import agent_email
from sandbox.sdk_types import resource_type
from sandbox.world import World

PROJECT_ID = "acme-inference-test"
PROJECT_NUMBER = "415104041262"
COMPUTE_API = "https://www.googleapis.com/compute/v1/"
_PROVIDER = ProviderConfig(PROJECT_ID)


def _nothing(_token: str) -> tuple[()]:
    """Return what there is of a type in an empty cloud."""
    return ()


_EMPTY = cast("World", SimpleNamespace(by_type=_nothing))


def _account(inputs: Mapping[str, Any]) -> dict[str, Any]:
    project = inputs.get("project", PROJECT_ID)
    email = f"{inputs['accountId']}@{project}.iam.gserviceaccount.com"
    return {
        "email": email,
        "member": f"serviceAccount:{email}",
        "name": f"projects/{project}/serviceAccounts/{email}",
        "uniqueId": "100000000000000000001",
    }


def _service_identity(inputs: Mapping[str, Any]) -> dict[str, Any]:
    email = agent_email(str(inputs["service"]), PROJECT_ID).replace(
        project_number(PROJECT_ID), PROJECT_NUMBER
    )
    return {"email": email, "member": f"serviceAccount:{email}"}


def _slo(inputs: Mapping[str, Any]) -> dict[str, Any]:
    service = f"projects/{inputs['project']}/services/{inputs['service']}"
    return {"name": f"{service}/serviceLevelObjectives/{inputs['sloId']}"}


_COMPUTED: Mapping[str, Mapping[str, Any]] = {
    "gcp:accesscontextmanager/accessPolicy:AccessPolicy": {"name": "600000000001"},
    "gcp:apigateway/gateway:Gateway": {"defaultHostname": "chat-1a2b3c.uc.gateway.dev"},
    "gcp:apigee/developerApp:DeveloperApp": {"credentials": [{"consumerKey": "made-by-apigee"}]},
    "gcp:certificateauthority/authority:Authority": {"pemCaCertificates": ["certificate"]},
    "gcp:certificatemanager/dnsAuthorization:DnsAuthorization": {
        "dnsResourceRecords": [{"name": "_acme-challenge.a.", "type": "CNAME", "data": "b."}]
    },
    "gcp:cloudrunv2/service:Service": {"uri": "https://service-uc.a.run.app"},
    "gcp:compute/address:Address": {"address": "10.0.0.42"},
    "gcp:compute/globalAddress:GlobalAddress": {"address": "34.96.0.42"},
    "gcp:monitoring/notificationChannel:NotificationChannel": {
        "name": f"projects/{PROJECT_ID}/notificationChannels/1234567890"
    },
    "gcp:compute/forwardingRule:ForwardingRule": {
        "pscConnectionId": "30000000000000001",
        "pscConnectionStatus": "ACCEPTED",
    },
    "gcp:container/cluster:Cluster": {
        "endpoint": "10.0.0.2",
        "masterVersion": "1.34.3-gke.100",
        "controlPlaneEndpointsConfig": {
            "dnsEndpointConfig": {"endpoint": "gke-1a2b3c.us-central1.gke.goog"}
        },
        "masterAuth": {"clusterCaCertificate": "Y2VydGlmaWNhdGU="},
    },
    "gcp:redis/instance:Instance": {
        "host": "10.22.0.4",
        "port": 6378,
        "authString": "made-by-redis",
        "createTime": "2026-11-21T10:00:00Z",
        "serverCaCerts": [{"cert": "certificate"}],
    },
    "gcp:logging/projectSink:ProjectSink": {
        "writerIdentity": (
            f"serviceAccount:service-{PROJECT_NUMBER}@gcp-sa-logging.iam.gserviceaccount.com"
        )
    },
    "gcp:storage/bucket:Bucket": {"url": "gs://bucket"},
    "gcp:vertex/aiEndpointWithModelGardenDeployment:AiEndpointWithModelGardenDeployment": {
        "endpoint": f"projects/{PROJECT_NUMBER}/locations/us-central1/endpoints/123",
        "deployedModelId": "789",
    },
}

_COMPUTED_FROM_INPUTS = {
    "gcp:monitoring/slo:Slo": _slo,
    "gcp:serviceaccount/account:Account": _account,
    "gcp:projects/serviceIdentity:ServiceIdentity": _service_identity,
}

KEY_OF_BUILDS = f"projects/{PROJECT_ID}/locations/global/keyRings/pipelines/cryptoKeys/attestation"
_CALLS: Mapping[str, Mapping[str, Any]] = {
    "gcp:organizations/getProject:getProject": {
        "number": PROJECT_NUMBER,
        "projectId": PROJECT_ID,
        "name": PROJECT_ID,
    },
    "gcp:kms/getKMSCryptoKeyVersion:getKMSCryptoKeyVersion": {
        "name": f"{KEY_OF_BUILDS}/cryptoKeyVersions/1",
        "publicKeys": [{"algorithm": "EC_SIGN_P256_SHA256", "pem": "-----BEGIN PUBLIC KEY-----"}],
    },
    "gcp:bigquery/getDefaultServiceAccount:getDefaultServiceAccount": {
        "email": f"bq-{PROJECT_NUMBER}@bigquery-encryption.iam.gserviceaccount.com"
    },
    "gcp:storage/getProjectServiceAccount:getProjectServiceAccount": {
        "emailAddress": f"service-{PROJECT_NUMBER}@gs-project-accounts.iam.gserviceaccount.com"
    },
    "gcp:container/getCluster:getCluster": {
        "controlPlaneEndpointsConfigs": [
            {
                "dnsEndpointConfigs": [
                    {"endpoint": "gke-1a2b3c.us-central1.gke.goog", "allowExternalTraffic": True}
                ],
                "ipEndpointsConfigs": [{"enabled": False}],
            }
        ]
    },
    "gcp:compute/getForwardingRules:getForwardingRules": {
        "rules": [
            {
                "name": "gkegw1-abcd-inference-gateway",
                "selfLink": (
                    f"{COMPUTE_API}projects/{PROJECT_ID}/regions/us-central1"
                    "/forwardingRules/gkegw1-abcd-inference-gateway"
                ),
                "ipAddress": "10.0.0.42",
                "portRange": "443-443",
                "loadBalancingScheme": "INTERNAL_MANAGED",
            }
        ],
    },
}


def answer_resource(type_: str, name: str, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return a resource's id and the outputs that are not among its inputs."""
    if type_.startswith("kubernetes:"):
        metadata: Mapping[str, Any] = inputs.get("metadata") or {}
        name = str(metadata.get("name", name))
        namespace: str | None = metadata.get("namespace")
        return (f"{namespace}/{name}" if namespace else name), {}
    computed = dict(_COMPUTED.get(type_, {}))
    if type_ in _COMPUTED_FROM_INPUTS:
        computed |= _COMPUTED_FROM_INPUTS[type_](inputs)
    resource = resource_type(type_)
    if resource is None:
        return computed.get("name", f"{name}-id"), computed
    given = effective(resource, dict(inputs), _PROVIDER)
    id_ = make_id(Request(_EMPTY, resource, _PROVIDER, name, given))
    if type_.startswith("gcp:compute/"):
        computed["selfLink"] = COMPUTE_API + id_
    return id_, computed


def answer_call(token: str, args: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer of a data source; unknown ones echo their arguments."""
    return {"id": token, **args, **_CALLS.get(token, {})}

"""What the mocked cloud answers: ids, self links, emails and the like, in Google Cloud's forms."""

from collections.abc import Mapping
from typing import Any

PROJECT_ID = "acme-inference-test"
PROJECT_NUMBER = "415104041262"
COMPUTE_API = "https://www.googleapis.com/compute/v1/"

_ID_TEMPLATES = {
    "gcp:artifactregistry/repository:Repository": (
        "projects/{project}/locations/{location}/repositories/{repositoryId}"
    ),
    "gcp:bigquery/dataset:Dataset": "projects/{project}/datasets/{datasetId}",
    "gcp:bigquery/table:Table": "projects/{project}/datasets/{datasetId}/tables/{tableId}",
    "gcp:certificateauthority/authority:Authority": (
        "projects/{project}/locations/{location}/caPools/{pool}"
        "/certificateAuthorities/{certificateAuthorityId}"
    ),
    "gcp:certificateauthority/caPool:CaPool": (
        "projects/{project}/locations/{location}/caPools/{name}"
    ),
    "gcp:certificatemanager/certificate:Certificate": (
        "projects/{project}/locations/{location}/certificates/{name}"
    ),
    "gcp:certificatemanager/certificateIssuanceConfig:CertificateIssuanceConfig": (
        "projects/{project}/locations/{location}/certificateIssuanceConfigs/{name}"
    ),
    "gcp:cloudrunv2/service:Service": "projects/{project}/locations/{location}/services/{name}",
    "gcp:compute/address:Address": "projects/{project}/regions/{region}/addresses/{name}",
    "gcp:certificatemanager/dnsAuthorization:DnsAuthorization": (
        "projects/{project}/locations/{location}/dnsAuthorizations/{name}"
    ),
    "gcp:compute/backendService:BackendService": "projects/{project}/global/backendServices/{name}",
    "gcp:compute/firewall:Firewall": "projects/{project}/global/firewalls/{name}",
    "gcp:compute/forwardingRule:ForwardingRule": (
        "projects/{project}/regions/{region}/forwardingRules/{name}"
    ),
    "gcp:compute/globalForwardingRule:GlobalForwardingRule": (
        "projects/{project}/global/forwardingRules/{name}"
    ),
    "gcp:compute/globalAddress:GlobalAddress": "projects/{project}/global/addresses/{name}",
    "gcp:compute/network:Network": "projects/{project}/global/networks/{name}",
    "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup": (
        "projects/{project}/regions/{region}/networkEndpointGroups/{name}"
    ),
    "gcp:compute/regionTargetHttpsProxy:RegionTargetHttpsProxy": (
        "projects/{project}/regions/{region}/targetHttpsProxies/{name}"
    ),
    "gcp:compute/router:Router": "projects/{project}/regions/{region}/routers/{name}",
    "gcp:compute/sSLPolicy:SSLPolicy": "projects/{project}/global/sslPolicies/{name}",
    "gcp:compute/serviceAttachment:ServiceAttachment": (
        "projects/{project}/regions/{region}/serviceAttachments/{name}"
    ),
    "gcp:compute/subnetwork:Subnetwork": ("projects/{project}/regions/{region}/subnetworks/{name}"),
    "gcp:compute/targetHttpsProxy:TargetHttpsProxy": (
        "projects/{project}/global/targetHttpsProxies/{name}"
    ),
    "gcp:compute/uRLMap:URLMap": "projects/{project}/global/urlMaps/{name}",
    "gcp:container/cluster:Cluster": "projects/{project}/locations/{location}/clusters/{name}",
    "gcp:container/nodePool:NodePool": (
        "projects/{project}/locations/{location}/clusters/{cluster}/nodePools/{name}"
    ),
    "gcp:dataloss/preventionDeidentifyTemplate:PreventionDeidentifyTemplate": (
        "{parent}/deidentifyTemplates/{templateId}"
    ),
    "gcp:dataloss/preventionInspectTemplate:PreventionInspectTemplate": (
        "{parent}/inspectTemplates/{templateId}"
    ),
    "gcp:dns/managedZone:ManagedZone": "projects/{project}/managedZones/{name}",
    "gcp:modelarmor/template:Template": (
        "projects/{project}/locations/{location}/templates/{templateId}"
    ),
    "gcp:networkconnectivity/hub:Hub": "projects/{project}/locations/global/hubs/{name}",
    "gcp:projects/service:Service": "{project}/{service}",
    "gcp:pubsub/schema:Schema": "projects/{project}/schemas/{name}",
    "gcp:pubsub/subscription:Subscription": "projects/{project}/subscriptions/{name}",
    "gcp:pubsub/topic:Topic": "projects/{project}/topics/{name}",
    "gcp:secretmanager/secret:Secret": "projects/{project}/secrets/{secretId}",
    "gcp:storage/bucket:Bucket": "{name}",
}


class _Given(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return {"project": PROJECT_ID}.get(key, "unset")


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
    service = str(inputs["service"]).removesuffix(".googleapis.com")
    email = f"service-{PROJECT_NUMBER}@gcp-sa-{service}.iam.gserviceaccount.com"
    return {"email": email, "member": f"serviceAccount:{email}"}


def _slo(inputs: Mapping[str, Any]) -> dict[str, Any]:
    service = f"projects/{inputs['project']}/services/{inputs['service']}"
    return {"name": f"{service}/serviceLevelObjectives/{inputs['sloId']}"}


_COMPUTED: Mapping[str, Mapping[str, Any]] = {
    "gcp:accesscontextmanager/accessPolicy:AccessPolicy": {"name": "600000000001"},
    "gcp:apigateway/gateway:Gateway": {"defaultHostname": "chat-1a2b3c.uc.gateway.dev"},
    "gcp:certificateauthority/authority:Authority": {"pemCaCertificates": ["certificate"]},
    "gcp:certificatemanager/dnsAuthorization:DnsAuthorization": {
        "dnsResourceRecords": [{"name": "_acme-challenge.a.", "type": "CNAME", "data": "b."}]
    },
    "gcp:cloudrunv2/service:Service": {"uri": "https://service-uc.a.run.app"},
    "gcp:compute/address:Address": {"address": "10.0.0.42"},
    "gcp:compute/globalAddress:GlobalAddress": {"address": "34.96.0.42"},
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
        "writerIdentity": f"serviceAccount:service-{PROJECT_NUMBER}@gcp-sa-logging.iam.gserviceaccount.com"
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

_CALLS: Mapping[str, Mapping[str, Any]] = {
    "gcp:organizations/getProject:getProject": {
        "number": PROJECT_NUMBER,
        "projectId": PROJECT_ID,
        "name": PROJECT_ID,
    },
    "gcp:bigquery/getDefaultServiceAccount:getDefaultServiceAccount": {
        "email": f"bq-{PROJECT_NUMBER}@bigquery-encryption.iam.gserviceaccount.com"
    },
    "gcp:storage/getProjectServiceAccount:getProjectServiceAccount": {
        "emailAddress": f"service-{PROJECT_NUMBER}@gs-project-accounts.iam.gserviceaccount.com"
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
    template = _ID_TEMPLATES.get(type_)
    id_ = template.format_map(_Given(inputs)) if template else computed.get("name", f"{name}-id")
    if type_.startswith("gcp:compute/"):
        computed["selfLink"] = COMPUTE_API + id_
    return id_, computed


def answer_call(token: str, args: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer of a data source; unknown ones echo their arguments."""
    return {"id": token, **args, **_CALLS.get(token, {})}

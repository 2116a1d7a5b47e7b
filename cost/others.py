"""What is free, what is billed by use, and what costs the same every month."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from cost.model import Item, Resource
from cost.pricing import ONE, Pricing, by_usage

# Type token: what one of it is called, and the name of its monthly price.
FLAT: Final[Mapping[str, tuple[str, str]]] = {
    "gcp:dns/managedZone:ManagedZone": ("DNS zone", "dns-zone"),
    "gcp:kms/cryptoKey:CryptoKey": ("key version", "key-version"),
    "gcp:monitoring/alertPolicy:AlertPolicy": ("alert condition", "alert-condition"),
    "gcp:secretmanager/secretVersion:SecretVersion": ("secret version", "secret-version"),
}
# Type token: what it is billed by.
USAGE: Final[Mapping[str, str]] = {
    "gcp:apigee/instance:Instance": "billed with the environments it runs",
    "gcp:apigee/apiDeployment:ApiDeployment": "billed by calls and by the hour beyond a number",
    "gcp:apigateway/gateway:Gateway": "billed by calls beyond two million",
    "gcp:artifactregistry/repository:Repository": "billed by stored GiB",
    "gcp:bigquery/dataset:Dataset": "billed by stored GiB and queried TiB",
    "gcp:bigquery/table:Table": "billed by stored GiB, written GiB and queried TiB",
    "gcp:certificateauthority/certificate:Certificate": "billed by issued certificates",
    "gcp:certificatemanager/certificate:Certificate": "billed by issued private certificates",
    "gcp:cloudscheduler/job:Job": "billed by jobs beyond three of an account",
    "gcp:compute/serviceAttachment:ServiceAttachment": "billed by traffic",
    "gcp:dataloss/preventionDeidentifyTemplate:PreventionDeidentifyTemplate": (
        "billed by transformed GiB"
    ),
    "gcp:dataloss/preventionInspectTemplate:PreventionInspectTemplate": "billed by inspected GiB",
    "gcp:dns/managedZone:ManagedZone": "DNS is billed by queries beside that",
    "gcp:kms/cryptoKey:CryptoKey": "keys are billed by use beside that",
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": "billed by stored GiB",
    "gcp:logging/projectSink:ProjectSink": "billed where it writes to",
    "gcp:modelarmor/template:Template": "billed by checked tokens",
    "gcp:monitoring/alertPolicy:AlertPolicy": (
        "alerts are billed by the time series their queries return beside that"
    ),
    "gcp:pubsub/subscription:Subscription": "billed by delivered and kept TiB",
    "gcp:pubsub/topic:Topic": "billed by published TiB",
    "gcp:secretmanager/secret:Secret": "billed by versions and accesses",
    "gcp:storage/bucket:Bucket": "billed by stored GiB and operations",
    "gcp:storage/bucketObject:BucketObject": "billed by stored GiB",
    "kubernetes:core/v1:PersistentVolumeClaim": "billed by the disk its storage class makes",
}
# Kubernetes objects run on nodes, which are priced. Grants, identities, networks and rules about
# them are free, and so are the components they make up. https://cloud.google.com/vpc/pricing, https://cloud.google.com/iam/pricing
_FREE: Final = re.compile(
    r"inference:index:.*|pulumi:.*|kubernetes:.*|random:.*|command:.*|time:.*"
    r"|gcp:[^:]+:[A-Za-z0-9]*I(am|AM)(Member|Binding|Policy|CustomRole|AuditConfig)"
    r"|gcp:(accesscontextmanager|iam|organizations|projects|serviceaccount|serviceusage|tags)/.*"
    r"|gcp:apigee/(api|apiProduct|developer|developerApp|envGroup|envGroupAttachment"
    r"|instanceAttachment|organization):.*"
    r"|gcp:artifactregistry/(vpcscConfig):.*"
    r"|gcp:apigateway/(api|apiConfig):.*"
    r"|gcp:bigquery/(datasetAccess|routine|connection):.*"
    r"|gcp:certificateauthority/(certificateTemplate):.*"
    r"|gcp:certificatemanager/(certificateIssuanceConfig|certificateMap|certificateMapEntry"
    r"|dnsAuthorization|trustConfig):.*"
    r"|gcp:compute/(backendService|regionBackendService|firewall|healthCheck|regionHealthCheck"
    r"|managedSslCertificate"
    r"|network|networkEndpointGroup|networkFirewallPolicy"
    r"|networkFirewallPolicyAssociation|networkFirewallPolicyRule|networkPeering"
    r"|projectMetadata|regionSslPolicy|regionTargetHttpsProxy|regionUrlMap|route|router"
    r"|sSLPolicy|subnetwork|targetHttpsProxy|uRLMap):.*"
    r"|gcp:dns/(recordSet|policy|responsePolicy|responsePolicyRule):.*"
    r"|gcp:gkehub/(feature|membership|fleet):.*"
    r"|gcp:kms/keyRing:.*"
    r"|gcp:logging/(metric|projectExclusion|logView):.*"
    r"|gcp:billing/budget:.*"
    r"|gcp:modelarmor/floorsetting:.*"
    r"|gcp:monitoring/(customService|dashboard|genericService|notificationChannel"
    r"|slo):.*"
    r"|gcp:networkconnectivity/(hub|group|policyBasedRoute|serviceConnectionPolicy):.*"
    r"|gcp:networksecurity/(authzPolicy|clientTlsPolicy|serverTlsPolicy):.*"
    r"|gcp:networkservices/(authzExtension|lbRouteExtension|lbTrafficExtension"
    r"|serviceLbPolicies):.*"
    r"|gcp:pubsub/schema:.*"
    r"|gcp:servicenetworking/connection:.*"
)


def is_free(resource_type: str) -> bool:
    """Whether resources of this type have no price of their own."""
    return _FREE.fullmatch(resource_type) is not None


def other(resource: Resource, pricing: Pricing) -> Iterator[Item]:
    """The flat price and the usage of a type that needs no arithmetic."""
    flat = FLAT.get(resource.type)
    if flat is not None:
        what, price = flat
        yield pricing.line(resource, what, pricing.month(price), ONE)
    if resource.type in USAGE:
        yield by_usage(resource, USAGE[resource.type])

"""Secrets stand neither in the state nor in the settings of a container."""

from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from policies.shared.secrets import (
    encodes_secret,
    holds_secret,
    in_arguments,
    is_secret,
    shows_secret,
)
from resources.images import TEMPLATES
from resources.kubernetes import kind_of, objects
from resources.pods import changes_pods, containers
from resources.properties import MISSING, entries, get, is_mapping
from resources.resource import Resource

# What the SDK marks as secret and keeps in the state; each that can has a write-only twin.
_STATEFUL: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "gcp:activedirectory/domainTrust:DomainTrust": (("trustHandshakeSecret",),),
    "gcp:alloydb/cluster:Cluster": (("initialUser", "password"),),
    "gcp:alloydb/user:User": (("password",),),
    "gcp:apigee/keystoresAliasesKeyCertFile:KeystoresAliasesKeyCertFile": (("key",), ("password",)),
    "gcp:certificatemanager/certificate:Certificate": (
        ("selfManaged", "pemPrivateKey"),
        ("selfManaged", "privateKeyPem"),
    ),
    "gcp:composer/userWorkloadsSecret:UserWorkloadsSecret": (("data",),),
    "gcp:compute/backendBucketSignedUrlKey:BackendBucketSignedUrlKey": (("keyValue",),),
    "gcp:compute/backendServiceSignedUrlKey:BackendServiceSignedUrlKey": (("keyValue",),),
    "gcp:compute/regionSslCertificate:RegionSslCertificate": (("privateKey",),),
    "gcp:compute/sSLCertificate:SSLCertificate": (("privateKey",),),
    "gcp:compute/vPNTunnel:VPNTunnel": (("sharedSecret",),),
    "gcp:compute/router:Router": (("md5AuthenticationKeys", "key"),),
    "gcp:compute/routerPeer:RouterPeer": (("md5AuthenticationKey", "key"),),
    "gcp:firebase/appCheckDebugToken:AppCheckDebugToken": (("token",),),
    "gcp:firebase/appCheckDeviceCheckConfig:AppCheckDeviceCheckConfig": (("privateKey",),),
    "gcp:firebase/appCheckRecaptchaV3Config:AppCheckRecaptchaV3Config": (("siteSecret",),),
    "gcp:kms/secretCiphertext:SecretCiphertext": (("plaintext",),),
    "gcp:monitoring/notificationChannel:NotificationChannel": (
        ("sensitiveLabels", "authToken"),
        ("sensitiveLabels", "password"),
        ("sensitiveLabels", "serviceKey"),
    ),
    "gcp:netapp/activeDirectory:ActiveDirectory": (("password",),),
    "gcp:runtimeconfig/variable:Variable": (("text",), ("value",)),
    "gcp:secretmanager/regionalSecretVersion:RegionalSecretVersion": (("secretData",),),
    "gcp:secretmanager/secretVersion:SecretVersion": (("secretData",),),
    "gcp:securesourcemanager/hook:Hook": (("sensitiveQueryString",),),
    "gcp:sql/databaseInstance:DatabaseInstance": (
        ("replicaConfiguration", "password"),
        ("rootPassword",),
    ),
    "gcp:sql/sourceRepresentationInstance:SourceRepresentationInstance": (("password",),),
    "gcp:sql/user:User": (("password",),),
}
# It says what objects may hold, and holds none.
_SCHEMA: Final = "apiextensions.k8s.io/CustomResourceDefinition"
_IN_CLUSTER: Final = "core/Secret"
_CONFIG_MAP: Final = "core/ConfigMap"
# What stands below secretKey here is the name of an entry.
_NAMING: Final = tuple(
    f"external-secrets.io/{kind}"
    for kind in ("ClusterExternalSecret", "ExternalSecret", "PushSecret")
)
# Where the containers of Cloud Run stand.
# What variables and arguments are called in Cloud Run and in a pod.
_CLOUD_RUN: Final = ("envs", ("args", "commands"))
_POD: Final = ("env", ("args", "command"))
# Maps of variables or settings that others can read.
_MAPS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "gcp:cloudfunctions/function:Function": (
        ("environmentVariables",),
        ("buildEnvironmentVariables",),
    ),
    "gcp:cloudfunctionsv2/function:Function": (
        ("serviceConfig", "environmentVariables"),
        ("buildConfig", "environmentVariables"),
    ),
    "gcp:compute/instance:Instance": (("metadata",),),
    "gcp:compute/instanceTemplate:InstanceTemplate": (("metadata",),),
    "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate": (("metadata",),),
    "gcp:dataflow/flexTemplateJob:FlexTemplateJob": (("parameters",),),
    "gcp:dataflow/job:Job": (("parameters",),),
    "gcp:workbench/instance:Instance": (("gceSetup", "metadata"),),
}


def _containers(resource: Resource) -> Iterator[object]:
    """Yield the containers of a service or of pods."""
    if resource.type not in TEMPLATES:
        yield from (container for _, container in containers(resource.type, resource.props))
        return
    found = entries(resource.props, *TEMPLATES[resource.type], "containers")
    yield from found if isinstance(found, tuple) else ()


def _each(value: object, *names: str) -> Iterator[object]:
    """Yield the elements of several lists."""
    for name in names:
        found = entries(value, name)
        yield from found if isinstance(found, tuple) else ()


def _container(container: object, variables: str, arguments: tuple[str, str]) -> Iterator[str]:
    for variable in _each(container, variables):
        if is_secret(get(variable, "name"), get(variable, "value")):
            yield "one of its environment variables looks like a credential"
    if any(in_arguments(tuple(_each(container, name))) for name in arguments):
        yield "one of its arguments looks like a credential"


def _map(value: object) -> Iterator[str]:
    for name in list(value) if is_mapping(value) else ():
        entry = get(value, name)
        if is_secret(name, entry) or encodes_secret(entry):
            yield "one of its entries looks like a credential"


def _named(resource: Resource) -> Iterator[str]:
    """Yield what stands where secrets stand, or under the name of one."""
    for path in _STATEFUL.get(resource.type, ()):
        if get(resource.props, *path) is not MISSING:
            yield f"{'.'.join(path)} puts the secret into the state"
    for path in _MAPS.get(resource.type, ()):
        yield from _map(get(resource.props, *path))
    if kind_of(resource.type) == _IN_CLUSTER:
        for each in objects(resource.type, resource.props):
            # Wherever it comes from, it ends up in the state and in the cluster.
            if any(get(each, name) not in (MISSING, {}) for name in ("data", "stringData")):
                yield "holds its data in the state and in the cluster in clear"
    elif kind_of(resource.type) == _CONFIG_MAP:
        for each in objects(resource.type, resource.props):
            yield from _map(get(each, "data"))
            yield from _map(get(each, "binaryData"))
    elif resource.type in TEMPLATES or changes_pods(resource.type):
        names = _CLOUD_RUN if resource.type in TEMPLATES else _POD
        for container in _containers(resource):
            yield from _container(container, *names)


def _check(resource: Resource, _: Limits) -> Iterator[str]:
    found = list(_named(resource))
    yield from found
    holds = shows_secret if kind_of(resource.type) in _NAMING else holds_secret
    if not found and holds(resource.props):
        yield "one of its properties looks like a credential"


RULE: Final = ResourceRule(
    id="data-no-plaintext-secret",
    display_name="No secrets in clear",
    description=(
        "What the SDK marks as secret is write-only, and no environment variable, argument, "
        "header, address, setting, metadata, Kubernetes Secret or other property holds a "
        "credential."
    ),
    why="Everyone who can read the state or describe the service can read the secret.",
    remediation=(
        "set secretDataWo or passwordWo, refer to the secret by valueSource.secretKeyRef, or mount "
        "it from Secret Manager."
    ),
    severity=Severity.CRITICAL,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/secret-manager/docs/best-practices",
    references=(
        Reference("checkov", "CKV_K8S_35"),
        Reference("trivy", "KSV-0109"),
    ),
    applies=lambda resource_type: (
        resource_type.startswith(("gcp:", "kubernetes:")) and kind_of(resource_type) != _SCHEMA
    ),
    check=_check,
)

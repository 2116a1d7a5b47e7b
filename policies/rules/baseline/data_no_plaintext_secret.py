"""Secrets stand neither in the state nor in the settings of a container."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.kubernetes import kind_of, objects
from resources.pods import changes_pods, containers
from resources.properties import MISSING, entries, get, is_mapping
from resources.resource import Resource

# Where a secret stands in the state; each has a write-only twin.
_STATEFUL: Final[Mapping[str, tuple[str, ...]]] = {
    "gcp:alloydb/cluster:Cluster": ("initialUser", "password"),
    "gcp:alloydb/user:User": ("password",),
    "gcp:secretmanager/regionalSecretVersion:RegionalSecretVersion": ("secretData",),
    "gcp:secretmanager/secretVersion:SecretVersion": ("secretData",),
    "gcp:sql/databaseInstance:DatabaseInstance": ("rootPassword",),
    "gcp:sql/user:User": ("password",),
}
_IN_CLUSTER: Final = "core/Secret"
_CONFIG_MAP: Final = "core/ConfigMap"
# Where the containers of Cloud Run stand.
_TEMPLATES: Final[Mapping[str, tuple[str, ...]]] = {
    "gcp:cloudrun/service:Service": ("template", "spec"),
    "gcp:cloudrunv2/job:Job": ("template", "template"),
    "gcp:cloudrunv2/service:Service": ("template",),
    "gcp:cloudrunv2/workerPool:WorkerPool": ("template",),
}
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
_NAMES_SECRET: Final = re.compile(
    r"(.*[_.-])?(password|passwd|secret|token|api[_-]?key|private[_-]?key|access[_-]?key|credentials?)",
    re.IGNORECASE,
)
_LOOKS_SECRET: Final = re.compile(
    r".*(-----BEGIN [A-Z ]*PRIVATE KEY|AIza[0-9A-Za-z_-]{35}|hf_[A-Za-z0-9]{30}"
    r"|gh[pousr]_[A-Za-z0-9]{36}"
    r"|sk-[A-Za-z0-9_-]{20}|ya29\.|xox[abprs]-|AKIA[0-9A-Z]{16}|GOOG[0-9A-Z]{20}).*",
    re.DOTALL,
)
# A path, a resource name, a switch or a reference to a variable is no credential.
_HARMLESS: Final = re.compile(
    r"|/.*|projects/.*|true|false|[0-9]{1,6}|\$\(\w{1,63}\)", re.IGNORECASE
)


def _is_secret(name: object, value: object) -> bool:
    if not isinstance(value, str) or _HARMLESS.fullmatch(value):
        return False
    named = isinstance(name, str) and _NAMES_SECRET.fullmatch(name) is not None
    return named or _LOOKS_SECRET.fullmatch(value) is not None


def _containers(resource: Resource) -> Iterator[object]:
    """Yield the containers of a service or of pods."""
    if resource.type not in _TEMPLATES:
        yield from (container for _, container in containers(resource.type, resource.props))
        return
    found = entries(resource.props, *_TEMPLATES[resource.type], "containers")
    yield from found if isinstance(found, tuple) else ()


def _each(value: object, *names: str) -> Iterator[object]:
    """Yield the elements of several lists."""
    for name in names:
        found = entries(value, name)
        yield from found if isinstance(found, tuple) else ()


def _container(container: object, variables: str, arguments: tuple[str, str]) -> Iterator[str]:
    for variable in _each(container, variables):
        if _is_secret(get(variable, "name"), get(variable, "value")):
            yield "one of its environment variables looks like a credential"
    for argument in _each(container, *arguments):
        flag, _, value = argument.partition("=") if isinstance(argument, str) else ("", "", "")
        if _is_secret(flag.lstrip("-"), value) or _is_secret(None, argument):
            yield "one of its arguments looks like a credential"


def _map(value: object) -> Iterator[str]:
    for name in list(value) if is_mapping(value) else ():
        if _is_secret(name, get(value, name)):
            yield "one of its entries looks like a credential"


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    if resource.type in _STATEFUL:
        path = _STATEFUL[resource.type]
        if get(resource.props, *path) is not MISSING:
            yield f"{'.'.join(path)} puts the secret into the state"
    elif resource.type in _MAPS:
        for path in _MAPS[resource.type]:
            yield from _map(get(resource.props, *path))
    elif kind_of(resource.type) == _IN_CLUSTER:
        for each in objects(resource.type, resource.props):
            # Wherever it comes from, it ends up in the state and in the cluster.
            if any(get(each, name) not in (MISSING, {}) for name in ("data", "stringData")):
                yield "holds its data in the state and in the cluster in clear"
    elif kind_of(resource.type) == _CONFIG_MAP:
        for each in objects(resource.type, resource.props):
            yield from _map(get(each, "data"))
    else:
        names = _CLOUD_RUN if resource.type in _TEMPLATES else _POD
        for container in _containers(resource):
            yield from _container(container, *names)


def _applies(token: str) -> bool:
    return (
        token in _STATEFUL
        or token in _MAPS
        or token in _TEMPLATES
        or kind_of(token) in (_IN_CLUSTER, _CONFIG_MAP)
        or changes_pods(token)
    )


RULE: Final = ResourceRule(
    id="data-no-plaintext-secret",
    display_name="No secrets in clear",
    description=(
        "Secret versions and passwords are write-only, and no environment variable, argument, "
        "metadata, ConfigMap or Kubernetes Secret holds a credential."
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
    applies=_applies,
    check=_check,
)

"""Secrets stand neither in the state nor in the settings of a container."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import Severity

from policies.rules.config import Limits
from policies.rules.peek import MISSING, entries, is_mapping, peek
from policies.rules.pods import containers, makes_pods
from policies.rules.rule import Reference, Resource, ResourceRule

_VERSION: Final = "gcp:secretmanager/secretVersion:SecretVersion"
_IN_CLUSTER: Final = "kubernetes:core/v1:Secret"
_CONFIG_MAP: Final = "kubernetes:core/v1:ConfigMap"
_TEMPLATES: Final[Mapping[str, tuple[str, ...]]] = {
    "gcp:cloudrunv2/job:Job": ("template", "template"),
    "gcp:cloudrunv2/service:Service": ("template",),
    "gcp:cloudrunv2/workerPool:WorkerPool": ("template",),
}
_NAMES_SECRET: Final = re.compile(
    r"(.*[_.-])?(password|passwd|secret|token|api_?key|private_?key|access_?key|credentials?)",
    re.IGNORECASE,
)
_LOOKS_SECRET: Final = re.compile(
    r".*(-----BEGIN [A-Z ]*PRIVATE KEY|AIza[0-9A-Za-z_-]{35}|hf_[A-Za-z0-9]{30}"
    r"|gh[pousr]_[A-Za-z0-9]{36}"
    r"|sk-[A-Za-z0-9_-]{20}|ya29\.|xox[abprs]-|AKIA[0-9A-Z]{16}|GOOG[0-9A-Z]{20}).*",
    re.DOTALL,
)
# A path, a resource name or a switch is no credential.
_HARMLESS: Final = re.compile(r"|/.*|projects/.*|true|false|[0-9]{1,6}", re.IGNORECASE)


def _is_secret(name: object, value: object) -> bool:
    if not isinstance(value, str) or _HARMLESS.fullmatch(value):
        return False
    named = isinstance(name, str) and _NAMES_SECRET.fullmatch(name) is not None
    return named or _LOOKS_SECRET.fullmatch(value) is not None


def _variables(resource: Resource) -> Iterator[object]:
    """The environment variables of all containers of a service or pod."""
    if resource.type in _TEMPLATES:
        found = entries(resource.props, *_TEMPLATES[resource.type], "containers")
        each, name = (found if isinstance(found, tuple) else ()), "envs"
    else:
        each = tuple(container for _, container in containers(resource.type, resource.props))
        name = "env"
    for container in each:
        variables = entries(container, name)
        yield from variables if isinstance(variables, tuple) else ()


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    if resource.type == _VERSION:
        if peek(resource.props, "secretData") is not MISSING:
            yield "secretData puts the secret into the state"
    elif resource.type == _IN_CLUSTER:
        # Data that is not known yet is wired from another resource.
        if any(is_mapping(peek(resource.props, name)) for name in ("data", "stringData")):
            yield "holds its data in the state and in the cluster in clear"
    elif resource.type == _CONFIG_MAP:
        data = peek(resource.props, "data")
        for name in list(data) if is_mapping(data) else ():
            if _is_secret(name, peek(data, name)):
                yield "one of its entries looks like a credential"
    else:
        for variable in _variables(resource):
            if _is_secret(peek(variable, "name"), peek(variable, "value")):
                yield "one of its environment variables looks like a credential"


def _applies(token: str) -> bool:
    return token in (_VERSION, _IN_CLUSTER, _CONFIG_MAP) or token in _TEMPLATES or makes_pods(token)


RULE: Final = ResourceRule(
    id="data-no-plaintext-secret",
    display_name="No secrets in clear",
    description=(
        "Secret versions are write-only, and no environment variable, ConfigMap or Kubernetes "
        "Secret holds a credential."
    ),
    why="Everyone who can read the state or describe the service can read the secret.",
    remediation=(
        "set secretDataWo, refer to the secret by valueSource.secretKeyRef, or mount it from "
        "Secret Manager."
    ),
    severity=Severity.CRITICAL,
    url="https://cloud.google.com/secret-manager/docs/best-practices",
    references=(
        Reference("checkov", "CKV_K8S_35"),
        Reference("trivy", "KSV-0109"),
    ),
    applies=_applies,
    check=_check,
)

"""A pod runs as its own account, and takes a token only if it or the account says so."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.kubernetes import is_patch, kind_of, objects
from resources.pods import makes_pods, pod_specs
from resources.properties import MISSING, Absence, get, text
from resources.resource import Resource

_ACCOUNT: Final = "core/ServiceAccount"
_MOUNTS: Final = "automountServiceAccountToken"


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    is_account = kind_of(resource.type) == _ACCOUNT
    for each in objects(resource.type, resource.props):
        if text(each, "metadata", "namespace") in (MISSING, "", "default"):
            yield "is in the default namespace"
        if is_account and get(each, _MOUNTS) is MISSING:
            yield "does not say whether its pods mount a token"
    for spec in () if is_account else pod_specs(resource.type, resource.props):
        if isinstance(spec, Absence):
            continue
        if text(spec, "serviceAccountName") in (MISSING, "", "default"):
            yield "runs as the default service account"
        if get(spec, _MOUNTS) is MISSING:
            yield "does not say whether it mounts a token"


def _applies(token: str) -> bool:
    return makes_pods(token) or (kind_of(token) == _ACCOUNT and not is_patch(token))


RULE: Final = ResourceRule(
    id="pod-sa-token",
    display_name="Pods have accounts of their own",
    description=(
        "Pods name a service account and a namespace other than default, and they and the account "
        "say whether its token is mounted."
    ),
    why="The default account is shared, and a token that is not needed is one more to steal.",
    remediation="set serviceAccountName, metadata.namespace and automountServiceAccountToken.",
    severity=Severity.LOW,
    level=EnforcementLevel.ADVISORY,
    url="https://kubernetes.io/docs/concepts/security/service-accounts/",
    references=(
        Reference("checkov", "CKV_K8S_38"),
        Reference("checkov", "CKV_K8S_41"),
        Reference("trivy", "KSV-0036"),
        Reference("trivy", "KSV-0110"),
    ),
    applies=_applies,
    check=_check,
)

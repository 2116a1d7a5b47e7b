"""A pod runs as its own account, and takes a token only if it says so."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import Severity

from policies.rules.config import Limits
from policies.rules.peek import MISSING, Absence, peek, text
from policies.rules.pods import makes_pods, pod_specs
from policies.rules.rule import Reference, Resource, ResourceRule


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    if text(resource.props, "metadata", "namespace") in (MISSING, "", "default"):
        yield "is in the default namespace"
    for spec in pod_specs(resource.type, resource.props):
        if isinstance(spec, Absence):
            continue
        if text(spec, "serviceAccountName") in (MISSING, "", "default"):
            yield "runs as the default service account"
        if peek(spec, "automountServiceAccountToken") is MISSING:
            yield "does not say whether it mounts a token"


RULE: Final = ResourceRule(
    id="pod-sa-token",
    display_name="Pods have accounts of their own",
    description=(
        "Pods name a service account and a namespace other than default, and say whether they "
        "mount its token."
    ),
    why="The default account is shared, and a token that is not needed is one more to steal.",
    remediation="set serviceAccountName, metadata.namespace and automountServiceAccountToken.",
    severity=Severity.LOW,
    url="https://kubernetes.io/docs/concepts/security/service-accounts/",
    references=(
        Reference("checkov", "CKV_K8S_21"),
        Reference("checkov", "CKV_K8S_38"),
        Reference("checkov", "CKV_K8S_41"),
        Reference("trivy", "KSV-0036"),
        Reference("trivy", "KSV-0110"),
    ),
    applies=makes_pods,
    check=_check,
)

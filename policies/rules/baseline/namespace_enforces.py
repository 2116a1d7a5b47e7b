"""A namespace refuses dangerous pods."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import Severity

from policies.rules.config import Limits
from policies.rules.peek import text
from policies.rules.rule import Reference, Resource, ResourceRule

_LABEL: Final = ("metadata", "labels", "pod-security.kubernetes.io/enforce")


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    if text(resource.props, *_LABEL) not in ("baseline", "restricted"):
        yield f"its label {_LABEL[-1]} is neither baseline nor restricted"


RULE: Final = ResourceRule(
    id="pod-namespace-pss",
    display_name="Namespaces enforce a pod profile",
    description="A namespace enforces the Baseline or Restricted profile of pod security.",
    why="Whatever gets into the cluster past this stack is then not checked at all.",
    remediation="set the label pod-security.kubernetes.io/enforce to restricted or baseline.",
    severity=Severity.MEDIUM,
    url="https://kubernetes.io/docs/concepts/security/pod-security-admission/",
    references=(Reference("CIS GKE", "4.2.1"),),
    applies=lambda resource_type: resource_type == "kubernetes:core/v1:Namespace",
    check=_check,
)

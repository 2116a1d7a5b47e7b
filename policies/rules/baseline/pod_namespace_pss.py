"""A namespace refuses dangerous pods."""

import re
from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NamesLimit, NumberLimit
from policies.shared.rule import Reference, ResourceRule
from resources.kubernetes import is_patch, kind_of, objects
from resources.properties import MISSING, text
from resources.resource import Resource

_LABEL: Final = ("metadata", "labels", "pod-security.kubernetes.io/enforce")
_VERSION: Final = ("metadata", "labels", "pod-security.kubernetes.io/enforce-version")
_MINOR: Final = re.compile(r"v1\.([0-9]{1,3})")


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    for each in objects(resource.type, resource.props):
        label = text(each, *_LABEL)
        # A patch that leaves the label out leaves it as it is.
        kept = label is MISSING and is_patch(resource.type)
        if label not in ("baseline", "restricted") and not kept:
            yield f"its label {_LABEL[-1]} is neither baseline nor restricted"
        name = text(each, "metadata", "name")
        may = limits.names("baselineNamespaces")
        if label == "baseline" and isinstance(name, str) and not {"*", name} & {*may}:
            yield f"its label {_LABEL[-1]} is baseline, allowed restricted"
        version = text(each, *_VERSION)
        minor = _MINOR.fullmatch(version) if isinstance(version, str) else None
        # What cannot be read is the latest, as nothing is.
        if minor and int(minor[1]) < limits.number("oldestMinor"):
            yield f"its label {_VERSION[-1]} holds an old profile, which lets more pass"


RULE: Final = ResourceRule(
    id="pod-namespace-pss",
    display_name="Namespaces enforce a pod profile",
    description=(
        "A namespace enforces the Baseline or Restricted profile of pod security, of a version "
        "that is not old."
    ),
    why="Whatever gets into the cluster past this stack is then not checked at all.",
    remediation=(
        "set the label pod-security.kubernetes.io/enforce to restricted or baseline, and leave out "
        "its version."
    ),
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://kubernetes.io/docs/concepts/security/pod-security-admission/",
    references=(Reference("CIS GKE", "4.2.1"),),
    limits=(
        NamesLimit(
            "baselineNamespaces",
            "Namespaces whose profile may be Baseline, * for all",
            default=("*",),
        ),
        NumberLimit(
            "oldestMinor", "Oldest minor version of Kubernetes 1 whose profile may stand", 30
        ),
    ),
    applies=lambda resource_type: kind_of(resource_type) == "core/Namespace",
    check=_check,
)

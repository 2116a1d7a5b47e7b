"""Clusters and Cloud Run ask Binary Authorization; `sup-no-break-glass` holds what it decides."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.expected import Expected, unmet
from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from policies.shared.types import CLOUD_RUN, CLOUD_RUN_FIRST
from resources.properties import MISSING, flag, get
from resources.resource import Resource

_CLUSTER: Final = "gcp:container/cluster:Cluster"
_ASKS: Final = (
    Expected("binaryAuthorization.evaluationMode", ("PROJECT_SINGLETON_POLICY_ENFORCE",)),
)
_ANNOTATION: Final = "run.googleapis.com/binary-authorization"


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    if resource.type == CLOUD_RUN_FIRST:
        if get(resource.props, "metadata", "annotations", _ANNOTATION) in (MISSING, ""):
            yield "does not ask Binary Authorization"
    elif resource.type in CLOUD_RUN:
        asks = flag(resource.props, "binaryAuthorization", "useDefault") is True
        if not asks and get(resource.props, "binaryAuthorization", "policy") is MISSING:
            yield "does not ask Binary Authorization"
    else:
        yield from unmet(resource.props, _ASKS)


RULE: Final = ResourceRule(
    id="sup-binauthz",
    display_name="Binary Authorization decides what runs",
    description="Clusters and Cloud Run ask Binary Authorization.",
    why="Whoever can deploy could run any image.",
    remediation=(
        "set binaryAuthorization, and a policy that requires attestations or trusted repositories."
    ),
    severity=Severity.MEDIUM,
    level=EnforcementLevel.DISABLED,
    url="https://cloud.google.com/binary-authorization/docs/overview",
    references=(
        Reference("CIS GKE", "5.10.4"),
        Reference("checkov", "CKV_GCP_66"),
    ),
    applies=lambda resource_type: resource_type in (_CLUSTER, CLOUD_RUN_FIRST, *CLOUD_RUN),
    check=_check,
)

"""On an Autopilot cluster each namespace has a quota of GPUs."""

from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from catalog.conventions import GPUS, TPUS
from policies.shared.limits import Limits
from policies.shared.rule import StackFinding, StackRule
from resources.gpus import CLUSTER
from resources.properties import flag
from resources.quantities import quantity
from resources.resource import Resource
from resources.wiring import referenced_names

_QUOTAS: Final = tuple(f"{kind}.{each}" for kind in ("requests", "limits") for each in (GPUS, TPUS))


def _check(resources: Sequence[Resource], _limits: Limits) -> Iterator[StackFinding]:
    if not any(
        each.type == CLUSTER and flag(each.props, "enableAutopilot") is True for each in resources
    ):
        return
    bounded: set[str] = set()
    for each in resources:
        if each.type != "kubernetes:core/v1:ResourceQuota":
            continue
        hard = [quantity(each.props, "spec", "hard", name) for name in _QUOTAS]
        if any(isinstance(bound, float) for bound in hard):
            bounded |= referenced_names(each, "metadata", "namespace")
    for each in resources:
        if each.type == "kubernetes:core/v1:Namespace":
            names = referenced_names(each, "metadata", "name") | {each.urn}
            if not names & bounded:
                yield StackFinding("has no ResourceQuota that bounds its GPUs", each)


RULE: Final = StackRule(
    id="scale-gke-autopilot-quota",
    display_name="Autopilot namespaces have a GPU quota",
    description=(
        "With an Autopilot cluster, every namespace of the stack has a ResourceQuota on GPUs."
    ),
    why="Autopilot makes a node for every pod that asks; the quota is the only bound.",
    remediation="make a ResourceQuota with spec.hard[requests.nvidia.com/gpu] in the namespace.",
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/kubernetes-engine/docs/how-to/autopilot-gpus",
    check=_check,
)

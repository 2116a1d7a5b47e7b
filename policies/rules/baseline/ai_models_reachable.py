"""Every route of an inference gateway ends at replicas of its model, and consumers can come in."""

from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.request_paths import breaches
from policies.shared.rule import StackFinding, StackRule
from request_path.finding import Check
from resources.resource import Resource


def _check(resources: Sequence[Resource], _: Limits) -> Iterator[StackFinding]:
    return breaches(Check.REACHABLE, resources)


RULE: Final = StackRule(
    id=Check.REACHABLE.value,
    display_name="Every model can be reached",
    description=(
        "Every route of an inference gateway leads to pools whose selector takes replicas of its "
        "model, with a picker and a health check, or to Services with pods and one, and each host "
        "name of a published gateway is found in every consumer's network."
    ),
    why="The API server accepts references to nothing; requests then fail on a stack that is up.",
    remediation="correct the name, selector, port or weight that leads nowhere.",
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/kubernetes-engine/docs/how-to/deploy-gke-inference-gateway",
    check=_check,
)

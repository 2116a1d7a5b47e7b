"""A type that no price is known for is told."""

from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from cost import estimate as cost
from policies.shared.limits import Limits
from policies.shared.rule import StackFinding, StackRule
from resources.resource import Resource


def _check(resources: Sequence[Resource], _limits: Limits) -> Iterator[StackFinding]:
    by_urn = {each.urn: each for each in resources}
    told: set[str] = set()
    for each in cost.estimate(resources).unpriced:
        if each.advisory and each.type not in told:
            told.add(each.type)
            yield StackFinding(f"is not in the estimate: {each.reason}", by_urn.get(each.urn))


RULE: Final = StackRule(
    id="cost-types-priced",
    display_name="Types have prices",
    description="Every type of the stack is free, billed by usage or has a price.",
    why="The estimate leaves out what has no price; its service is not known to bill by capacity.",
    remediation="add its price to catalog/prices.yaml, or its module to what is free.",
    severity=Severity.LOW,
    level=EnforcementLevel.ADVISORY,
    url="https://cloud.google.com/pricing/list",
    check=_check,
)

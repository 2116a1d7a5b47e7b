"""The prices that the ceilings rest on are not out of date."""

from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from catalog.words import plural
from cost import estimate as cost
from policies.shared.limits import Limits, NumberLimit
from policies.shared.rule import StackFinding, StackRule
from resources.resource import Resource, stack_of


def _check(resources: Sequence[Resource], limits: Limits) -> Iterator[StackFinding]:
    estimate = cost.estimate(resources)
    age, cap = (stack_of(resources).today - estimate.as_of).days, limits.number("maxDays")
    if age > cap:
        yield StackFinding(
            f"the oldest price used is of {estimate.as_of}, {plural(age, 'day')} old, "
            f"allowed {cap:.0f}"
        )


RULE: Final = StackRule(
    id="cost-prices-current",
    display_name="Prices are current",
    description="The oldest price that the estimate of the stack uses is not out of date.",
    why="A ceiling on cost holds no better than the prices it is compared with.",
    remediation="renew the prices and their dates in catalog/prices.yaml.",
    severity=Severity.LOW,
    level=EnforcementLevel.ADVISORY,
    url="https://cloud.google.com/pricing/list",
    limits=(NumberLimit("maxDays", "Most days since the date of a price", default=180),),
    check=_check,
)

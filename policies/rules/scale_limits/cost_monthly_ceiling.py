"""The stack cannot cost more in a month than the environment's budget."""

from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from cost import estimate as cost
from policies.shared.limits import Limits, NamesLimit, NumberLimit
from policies.shared.rule import StackFinding, StackRule
from policies.shared.zones import with_zones
from resources.resource import Resource

_LARGEST: Final = 3


def _check(resources: Sequence[Resource], limits: Limits) -> Iterator[StackFinding]:
    estimate = cost.estimate(with_zones(resources))
    by_urn = {each.urn: each for each in resources}
    accepted = limits.names("unpricedTypes")
    for each in estimate.unpriced:
        if not (each.by_usage or each.advisory) and each.type not in accepted:
            yield StackFinding(f"cannot be priced: {each.reason}", by_urn.get(each.urn))
    lines = sorted(estimate.lines, key=lambda line: -line.maximum)[:_LARGEST]
    largest = ", ".join(f"{line.name} {line.maximum:,.0f}" for line in lines)
    for what, usd, name in (
        ("at its maxima", estimate.maximum, "maxWorstCaseUsd"),
        ("as expected", estimate.expected, "maxExpectedUsd"),
        ("at its minima", estimate.minimum, "maxBaselineUsd"),
    ):
        cap = limits.number(name)
        if usd > cap:
            yield StackFinding(
                f"may cost {usd:,.0f} USD a month {what}, allowed {cap:,.0f} (most: {largest})"
            )


RULE: Final = StackRule(
    id="cost-monthly-ceiling",
    display_name="Monthly cost is capped",
    description=(
        "The estimated cost of the stack in a month is within the budget, "
        "with everything at its maximum, with everything at its minimum, and as expected between."
    ),
    why="Autoscaling spends up to its maxima without asking; what is billed by usage comes on top.",
    remediation=(
        "lower the maxima, use spot capacity, add a missing price to catalog/prices.yaml, or "
        "change the policy config."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/billing/docs/how-to/budgets",
    limits=(
        NumberLimit("maxWorstCaseUsd", "Most USD a month with everything at its maximum"),
        NumberLimit("maxExpectedUsd", "Most USD a month as expected, half way between the two"),
        NumberLimit("maxBaselineUsd", "Most USD a month with everything at its minimum"),
        NamesLimit(
            "unpricedTypes", "Type tokens accepted although no price is known for them", default=()
        ),
    ),
    check=_check,
)

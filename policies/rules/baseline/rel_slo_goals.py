"""Objectives of service levels can be missed."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from catalog.limits.operations import GOAL
from policies.shared.limits import Limits, NumberLimit
from policies.shared.rule import ResourceRule
from resources.properties import get, number, show, text
from resources.resource import Resource


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    goal, least = number(resource.props, "goal"), limits.number("minGoal")
    if isinstance(goal, float) and goal < least:
        yield f"goal is {show(goal)}, at least {show(least)} wanted"
    ratio = get(resource.props, "requestBasedSli", "goodTotalRatio")
    good = text(ratio, "goodServiceFilter")
    if isinstance(good, str) and good == text(ratio, "totalServiceFilter"):
        yield "counts every request as good"


RULE: Final = ResourceRule(
    id="rel-slo-goals",
    display_name="Goals can be missed",
    description="A service level objective has a goal worth the name, and not all counts as good.",
    why="What is met whatever happens alerts nobody, and looks well on every dashboard.",
    remediation="raise goal, or count what is good by a filter of its own.",
    severity=Severity.LOW,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/stackdriver/docs/solutions/slo-monitoring",
    limits=(NumberLimit("minGoal", "Lowest goal, as a share", default=GOAL.low),),
    applies=lambda resource_type: resource_type == "gcp:monitoring/slo:Slo",
    check=_check,
)

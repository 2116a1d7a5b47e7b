"""A budget watches what is spent."""

from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NumberLimit
from policies.shared.projects import own_projects
from policies.shared.rule import StackFinding, StackRule
from resources.properties import (
    MISSING,
    UNKNOWN,
    Absence,
    Props,
    elements,
    entries,
    flag,
    get,
    number,
    show,
)
from resources.resource import Resource

_PARTS: Final = ("services", "subaccounts")
# A time that ends, and labels, leave out what comes later or has none.
_OTHER_PARTS: Final = ("customPeriod", "labels")


def _tells(props: Props) -> bool:
    channels = entries(props, "allUpdatesRule", "monitoringNotificationChannels")
    topic = get(props, "allUpdatesRule", "pubsubTopic")
    return topic is not MISSING or channels not in (MISSING, ())


def _is_silent(props: Props) -> bool:
    """Return whether not even those who administer the account are written to."""
    muted = flag(props, "allUpdatesRule", "disableDefaultIamRecipients") is True
    return muted and not _tells(props)


def _warns(props: Props) -> bool:
    rules = entries(props, "thresholdRules")
    shares = (
        number(rule, "thresholdPercent") for rule in (rules if isinstance(rules, tuple) else ())
    )
    return any(isinstance(share, float) and 0 < share <= 1 for share in shares)


def _is_partial(props: Props) -> bool:
    """Return whether a budget leaves out some of what is spent."""
    parts = (elements(props, "budgetFilter", each) for each in _PARTS)
    others = (get(props, "budgetFilter", each) for each in _OTHER_PARTS)
    return any(isinstance(each, str) for found in parts for each in found) or any(
        each not in (MISSING, UNKNOWN, {}) for each in others
    )


def _is_own(project: object, own: frozenset[str]) -> bool:
    return project is UNKNOWN or (
        isinstance(project, str) and project.removeprefix("projects/") in own
    )


def _check(resources: Sequence[Resource], limits: Limits) -> Iterator[StackFinding]:
    cap = limits.number("maxUsd")
    budgets = [each for each in resources if each.type == "gcp:billing/budget:Budget"]
    # By default a budget writes to those who administer the account; one has to tell the others.
    told = any(_tells(each.props) for each in budgets)
    if not budgets:
        yield StackFinding("has no budget")
    whole = [each for each in budgets if not _is_partial(each.props)]
    # Beside one of the whole, another may watch a part.
    for budget in budgets:
        amount = number(budget.props, "amount", "specifiedAmount", "units")
        if isinstance(amount, Absence):
            yield StackFinding(f"its amount is {amount.value}, allowed {show(cap)}", budget)
        elif amount > cap:
            yield StackFinding(f"its amount is {show(amount)}, allowed {show(cap)}", budget)
        watched = elements(budget.props, "budgetFilter", "projects")
        own = own_projects(resources)
        numbered = any(each.isdigit() for each in own)
        if watched and numbered and not any(_is_own(each, own) for each in watched):
            yield StackFinding("watches another project", budget)
        if not whole:
            yield StackFinding("watches a part of what is spent", budget)
        if not _warns(budget.props):
            yield StackFinding("has no threshold up to 1", budget)
        if not told or _is_silent(budget.props):
            yield StackFinding("tells nobody: it has no channel and no topic", budget)


RULE: Final = StackRule(
    id="cost-budget-present",
    display_name="There is a budget",
    description="A budget within the ceiling tells somebody before it is spent.",
    why="Estimates are made before; only the bill tells what really runs.",
    remediation=(
        "make a gcp.billing.Budget with specifiedAmount, thresholds up to 1 and a channel or "
        "Pub/Sub topic."
    ),
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/billing/docs/how-to/budgets",
    limits=(NumberLimit("maxUsd", "Highest amount of a budget, in its currency"),),
    check=_check,
)

"""Budget: tells somebody when a project's month costs more than planned. It stops nothing.

Owns the budget. Does not own the billing account nor the channels. Limits before anything is made
are the policies' (cost-monthly-ceiling).
"""

from collections.abc import Sequence
from typing import Annotated, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import operations as limits
from components.validation import Problems, component_type, register

MOST_CHANNELS = 5


class BudgetArgs(TypedDict):
    """Arguments of `Budget`."""

    billing_account: Annotated[pulumi.Input[str], limits.BILLING_ACCOUNT]
    """Id of the billing account, which bills in USD."""
    project_number: pulumi.Input[str]
    """Number of the project, once the Budget API is on."""
    monthly_usd: Annotated[int, limits.MONTHLY_USD]
    """Budget of a calendar month."""
    thresholds_percent: NotRequired[
        Annotated[Sequence[Annotated[int, limits.THRESHOLD_PERCENT]], limits.THRESHOLDS_PERCENT]
    ]
    """Percents of it from which on somebody is told, once spent."""
    forecast_percent: NotRequired[Annotated[int | None, limits.FORECAST_PERCENT]]
    """Percent of it the forecast must exceed to tell somebody; None for never."""
    email_channels: NotRequired[Sequence[pulumi.Input[str]]]
    """Full names of e-mail channels, told beside the billing account's administrators."""


def validate_budget(args: BudgetArgs) -> Problems:
    """Check the plain values of the arguments."""
    problems = Problems.of(BudgetArgs, args)
    problems.extend(limits.percents(args.get("thresholds_percent", ())), "thresholds_percent")
    channels = len(args.get("email_channels", ()))
    if channels > MOST_CHANNELS:
        problems.add(
            "email_channels",
            f"found {channels}; allowed: up to {MOST_CHANNELS}; use a mailing list",
        )
    return problems


class Budget(pulumi.ComponentResource):
    """A budget of one project on its billing account.

    Making it takes roles/billing.costsManager on the billing account; with a user's credentials the
    provider needs `userProjectOverride` and `billingProject` too.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/billing/docs/how-to/budgets
    """

    budget_name: pulumi.Output[str]
    """`billingAccounts/<account>/budgets/<id>`"""

    def __init__(
        self, name: str, args: BudgetArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(Budget), name, {}, opts)
        validate_budget(args).raise_if_any(f"Budget {name}")
        rules: list[gcp.billing.BudgetThresholdRuleArgsDict] = [
            {"threshold_percent": percent / 100, "spend_basis": "CURRENT_SPEND"}
            for percent in args.get("thresholds_percent", limits.THRESHOLDS_PERCENT.default)
        ]
        forecast = args.get("forecast_percent", limits.FORECAST_PERCENT.default)
        if forecast is not None:
            rules.append({"threshold_percent": forecast / 100, "spend_basis": "FORECASTED_SPEND"})
        channels = list(args.get("email_channels", ()))
        told: gcp.billing.BudgetAllUpdatesRuleArgsDict | None = (
            {"monitoring_notification_channels": channels} if channels else None
        )
        budget = gcp.billing.Budget(
            f"{name}-budget",
            billing_account=args["billing_account"],
            display_name=f"{name} a month",
            budget_filter={
                "projects": [pulumi.Output.concat("projects/", args["project_number"])],
                "calendar_period": "MONTH",
            },
            amount={
                "specified_amount": {"currency_code": "USD", "units": str(args["monthly_usd"])}
            },
            threshold_rules=rules,
            all_updates_rule=told,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.budget_name = budget.id
        register(self)

"""Run a rule as the packs do: judged by its settings, on properties as the engine gives them."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from pulumi_policy import proxy
from pulumi_policy.proxy import UnknownValueError

from policies.engine.config import LEVEL, PolicyConfigError, read_settings
from policies.engine.judge import Judge, Result
from policies.engine.packs import ALL, rules_of
from policies.shared.rule import AnyRule, ResourceRule, StackRule
from resources.resource import Resource

UNKNOWN: Final = proxy.UNKNOWN_STRING_VALUE
NOT_APPLICABLE: Final = ["not applicable"]
RULES: Final[Mapping[str, AnyRule]] = {rule.id: rule for rule in rules_of(ALL)}
TODAY: Final = dt.date(2026, 11, 21)


def urn(resource_type: str, name: str = "it") -> str:
    return f"urn:pulumi:dev::inference::{resource_type}::{name}"


def judge(rule: AnyRule, config: dict[str, Any] | None = None) -> Judge:
    """Return a judge of one rule."""
    values = {rule.id: {LEVEL: "mandatory", **(config or {})}}
    return Judge([rule], read_settings([rule], values, TODAY), TODAY)


def check(
    rule_id: str,
    resource_type: str,
    props: dict[str, Any],
    config: dict[str, Any] | None = None,
    *,
    protect: bool = False,
) -> list[str]:
    """Return the messages of a resource rule, or `NOT_APPLICABLE`.

    Raises `UnknownValueError` where the rule cannot run in this preview.
    """
    rule = RULES[rule_id]
    assert isinstance(rule, ResourceRule)
    if not rule.applies(resource_type):
        return NOT_APPLICABLE
    resource = Resource(resource_type, "it", urn(resource_type), props, protected=protect)
    try:
        results = judge(rule, config).resource(resource)
    except PolicyConfigError as error:
        return [f"The policy config cannot be used: {error}"]
    return messages(results)


def messages(results: list[Result]) -> list[str]:
    found: list[str] = []
    for result in results:
        if result.unread:
            raise UnknownValueError(UNKNOWN, ["policyData"])
        found += [finding.message for finding in result.violations]
    # A rule that raises fails closed, but it must not raise.
    assert not any("the rule raised" in each for each in found), found
    return found


def resource(
    resource_type: str,
    props: dict[str, Any],
    name: str = "it",
    wired: Mapping[str, list[Resource]] | None = None,
    *,
    protect: bool | None = None,
    provider: str = "",
) -> Resource:
    return Resource(
        resource_type,
        name,
        urn(resource_type, name),
        props,
        {prop: tuple(each.urn for each in found) for prop, found in (wired or {}).items()},
        bool(protect),
        provider,
    )


def check_stack(
    rule_id: str, resources: list[Resource], config: dict[str, Any] | None = None
) -> list[str]:
    """Return the messages of a stack rule."""
    rule = RULES[rule_id]
    assert isinstance(rule, StackRule)
    try:
        results = judge(rule, config).stack(resources)
    except PolicyConfigError as error:
        return [f"The policy config cannot be used: {error}"]
    return messages(results)

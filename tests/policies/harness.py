"""Run a rule as the engine does: through its policy, on proxied properties."""

from collections.abc import Mapping
from typing import Any, Final

from pulumi_policy import (
    PolicyCustomTimeouts,
    PolicyResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
    proxy,
)
from pulumi_policy.policy import _NotApplicableError  # pyright: ignore[reportPrivateUsage]  the SDK has no public harness

from policies.rules.packs import PACKS
from policies.rules.rule import AnyRule, ResourceRule, to_policy

UNKNOWN: Final = proxy.UNKNOWN_STRING_VALUE
NOT_APPLICABLE: Final = ["not applicable"]
RULES: Final[Mapping[str, AnyRule]] = {rule.id: rule for pack in PACKS.values() for rule in pack}


def urn(resource_type: str, name: str = "it") -> str:
    return f"urn:pulumi:dev::inference::{resource_type}::{name}"


def _options(*, protect: bool) -> PolicyResourceOptions:
    return PolicyResourceOptions(protect, [], None, [], PolicyCustomTimeouts(0, 0, 0), [])


def check(
    rule_id: str,
    resource_type: str,
    props: dict[str, Any],
    config: dict[str, Any] | None = None,
    *,
    protect: bool = False,
) -> list[str]:
    """The messages of a resource rule, or `NOT_APPLICABLE`."""
    rule = RULES[rule_id]
    assert isinstance(rule, ResourceRule)
    policy = to_policy(rule)
    assert isinstance(policy, ResourceValidationPolicy)
    args = ResourceValidationArgs(
        resource_type,
        proxy.unknown_checking_proxy(props),
        urn(resource_type),
        "it",
        _options(protect=protect),
        None,
        config,
    )
    messages: list[str] = []
    try:
        policy.validate(args, lambda message, _urn=None: messages.append(message))
    except _NotApplicableError:
        return NOT_APPLICABLE
    return messages


def resource(
    resource_type: str,
    props: dict[str, Any],
    name: str = "it",
    wired: dict[str, list[PolicyResource]] | None = None,
    *,
    protect: bool | None = None,
) -> PolicyResource:
    return PolicyResource(
        resource_type,
        proxy.unknown_checking_proxy(props),
        urn(resource_type, name),
        name,
        _options(protect=bool(protect)),
        None,
        None,
        [],
        wired or {},
    )


def check_stack(
    rule_id: str, resources: list[PolicyResource], config: dict[str, Any] | None = None
) -> list[str]:
    """The messages of a stack rule."""
    policy = to_policy(RULES[rule_id])
    assert isinstance(policy, StackValidationPolicy)
    messages: list[str] = []
    policy.validate(
        StackValidationArgs(resources, config), lambda message, _urn=None: messages.append(message)
    )
    return messages

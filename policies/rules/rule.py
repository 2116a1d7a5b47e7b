"""What a rule is, and how it becomes a policy of the engine.

A rule states one truth. It yields findings, short texts that say what was found; the message adds
the resource, why it matters and how to mend it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypedDict

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyComplianceFramework,
    PolicyConfigSchema,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)

from policies.rules.config import Limit, Limits, PolicyConfigError, read_limits
from policies.rules.inputs import or_inputs
from policies.rules.peek import Props


@dataclass(frozen=True)
class Resource:
    """A resource as a rule sees it."""

    type: str
    name: str
    urn: str
    props: Props
    dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """URNs of the resources each property is wired from; only stack rules know them."""
    provider: str = ""
    """URN of its provider, which tells clusters apart; only stack rules know it."""
    protected: bool = False
    """Whether the engine refuses to delete it (the `protect` option)."""


@dataclass(frozen=True)
class Reference:
    """A control of a framework or scanner that the rule serves, such as CIS GCP 1.5."""

    framework: str
    control: str


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One truth about a deployment, with all a reader needs to understand and mend a breach."""

    id: str
    display_name: str
    description: str
    why: str
    remediation: str
    severity: Severity
    url: str
    references: tuple[Reference, ...] = ()
    limits: tuple[Limit, ...] = ()

    def message(self, resource: Resource | None, finding: str) -> str:
        """The whole text of a violation."""
        subject = f"{resource.name} ({resource.type})" if resource else "The stack"
        return f"{subject}: {finding}. {self.why} To mend: {self.remediation}"


@dataclass(frozen=True, kw_only=True)
class ResourceRule(Rule):
    """A rule on one resource, checked before it is created or updated."""

    applies: Callable[[str], bool]
    """Whether the rule speaks of resources of this type token."""
    check: Callable[[Resource, Limits], Iterable[str]]


@dataclass(frozen=True)
class StackFinding:
    """A finding about the stack, or about one resource that only the whole stack shows."""

    text: str
    resource: Resource | None = None


@dataclass(frozen=True, kw_only=True)
class StackRule(Rule):
    """A rule on all resources together."""

    check: Callable[[Sequence[Resource], Limits], Iterable[StackFinding]]


AnyRule = ResourceRule | StackRule


def to_policy(rule: AnyRule) -> Policy:
    """The engine's policy for a rule. Mandatory until the policy config says otherwise."""
    if isinstance(rule, ResourceRule):
        return ResourceValidationPolicy(**_metadata(rule), validate=_resource_validation(rule))
    return StackValidationPolicy(**_metadata(rule), validate=_stack_validation(rule))


class _Metadata(TypedDict):
    name: str
    description: str
    enforcement_level: EnforcementLevel
    config_schema: PolicyConfigSchema | None
    display_name: str
    severity: Severity
    framework: PolicyComplianceFramework | None
    tags: list[str]
    remediation_steps: str
    url: str


def _metadata(rule: Rule) -> _Metadata:
    schema = {limit.name: limit.schema() for limit in rule.limits}
    first = rule.references[0] if rule.references else None
    return {
        "name": rule.id,
        "description": rule.description,
        "enforcement_level": EnforcementLevel.MANDATORY,
        "config_schema": PolicyConfigSchema(schema, list(schema)) if schema else None,
        "display_name": rule.display_name,
        "severity": rule.severity,
        "framework": PolicyComplianceFramework(first.framework, reference=first.control)
        if first
        else None,
        "tags": [f"{each.framework} {each.control}" for each in rule.references],
        "remediation_steps": rule.remediation,
        "url": rule.url,
    }


def _resource_validation(
    rule: ResourceRule,
) -> Callable[[ResourceValidationArgs, ReportViolation], None]:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        if not rule.applies(args.resource_type):
            args.not_applicable(f"{rule.id} does not speak of {args.resource_type}")
        resource = Resource(
            args.resource_type, args.name, args.urn, args.props, protected=args.opts.protect
        )
        try:
            limits = read_limits(rule.id, rule.limits, args.get_config())
        except PolicyConfigError as error:
            report(f"The policy config cannot be used: {error}", None)
            return
        for finding in rule.check(resource, limits):
            report(rule.message(resource, finding), None)

    return validate


def _stack_validation(rule: StackRule) -> Callable[[StackValidationArgs, ReportViolation], None]:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        try:
            limits = read_limits(rule.id, rule.limits, args.get_config())
        except PolicyConfigError as error:
            report(f"The policy config cannot be used: {error}", None)
            return
        for finding in rule.check([_resource(each) for each in args.resources], limits):
            urn = finding.resource.urn if finding.resource else None
            report(rule.message(finding.resource, finding.text), urn)

    return validate


def _resource(resource: PolicyResource) -> Resource:
    return Resource(
        resource.resource_type,
        resource.name,
        resource.urn,
        or_inputs(resource.urn, resource.props),
        {
            name: tuple(each.urn for each in wired)
            for name, wired in resource.property_dependencies.items()
        },
        provider=resource.provider.urn if resource.provider else "",
        protected=resource.opts.protect,
    )

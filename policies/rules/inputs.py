"""What a program asked for, for stack rules in a preview that can't know what a provider answers.

Where a provider isn't configured yet, as that of a cluster which the same program makes, the engine
shows a stack rule resources without a single property. Their inputs it did show, one resource at a
time, before: they are remembered here.
"""

from collections.abc import Mapping
from typing import Final

from pulumi_policy import (
    EnforcementLevel,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
)

from policies.rules.peek import Props

_seen: Final[dict[str, Props]] = {}


def _remember(args: ResourceValidationArgs, _: ReportViolation) -> None:
    _seen[args.urn] = args.props


MEMORY: Final = ResourceValidationPolicy(
    name="inputs-remembered",
    description="Keeps what the program asked for, for the rules on the whole stack.",
    validate=_remember,
    enforcement_level=EnforcementLevel.ADVISORY,
)
"""A policy that finds nothing: a pack with stack rules needs it first."""


def or_inputs(urn: str, props: Mapping[str, object]) -> Props:
    """Give the properties of a resource, its inputs where none is known."""
    return props if len(props) else _seen.get(urn, props)

"""What a rule is.

A rule states one truth. It yields findings, short texts that say what was found; the message adds
the resource, why it matters and the remediation.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limit, Limits
from resources.resource import Resource


@dataclass(frozen=True)
class Reference:
    """A control of a framework or scanner that the rule serves, such as CIS GCP 1.5."""

    framework: str
    control: str


# A rule is one object, so that none is compared field by field.
@dataclass(frozen=True, kw_only=True, eq=False)
class Rule:
    """One truth about a deployment, with what a reader needs to understand and end a breach."""

    id: str
    display_name: str
    description: str
    why: str
    remediation: str
    severity: Severity
    level: EnforcementLevel
    """The level where an environment sets none."""
    url: str
    references: tuple[Reference, ...] = ()
    limits: tuple[Limit, ...] = ()
    never_exempt: str = ""
    """Why no exemption can set the rule aside; empty where one can."""

    @property
    def remediable(self) -> bool:
        """Whether the rule can change what it finds."""
        return False

    def message(self, resource: Resource | None, finding: str) -> str:
        """Return the whole text of a violation."""
        subject = f"{resource.name} ({resource.type})" if resource else "The stack"
        return f"{subject}: {finding}. {self.why} Remediation: {self.remediation}"


@dataclass(frozen=True, kw_only=True, eq=False)
class ResourceRule(Rule):
    """A rule on one resource, checked before it is created or updated."""

    applies: Callable[[str], bool]
    """Whether the rule speaks of resources of this type token."""
    check: Callable[[Resource, Limits], Iterable[str]]
    remediate: Callable[[Resource, Limits], Mapping[str, object]] | None = None
    """Properties that correct the resource, to be merged into its own; only where that is safe.

    Used when the policy config gives the rule the level `remediate` and the rule found something.
    """

    @property
    def remediable(self) -> bool:
        """Whether the rule can change what it finds."""
        return self.remediate is not None


@dataclass(frozen=True)
class StackFinding:
    """A finding about the stack, or about one resource that only the whole stack shows."""

    text: str
    resource: Resource | None = None


class Table(TypedDict):
    """What a report shows of the stack beside the findings. Cells hold no secrets."""

    title: str
    columns: list[str]
    rows: list[list[str]]


@dataclass(frozen=True, kw_only=True, eq=False)
class StackRule(Rule):
    """A rule on all resources together."""

    check: Callable[[Sequence[Resource], Limits], Iterable[StackFinding]]
    table: Callable[[Sequence[Resource]], Table] | None = None


AnyRule = ResourceRule | StackRule

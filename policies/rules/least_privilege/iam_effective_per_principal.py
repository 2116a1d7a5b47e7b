"""No principal gathers roles on the whole project."""

from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.access.model import is_agent, shown
from policies.access.reach import access_of
from policies.shared.limits import Limits, NumberLimit
from policies.shared.rule import Reference, StackFinding, StackRule
from resources.properties import note_unknown, show
from resources.resource import Resource


def _check(resources: Sequence[Resource], limits: Limits) -> Iterator[StackFinding]:
    """Its own roles and those of everyone it can become.

    Chains to an administrator and toxic pairs have rules of their own, which can be exempted, or
    not, each for itself.
    """
    access = access_of(resources)
    cap = limits.number("maxProjectRoles")
    if access.unknown:
        note_unknown()
    for who in access.principals:
        if is_agent(who):
            continue
        roles = access.wide_roles(who) | access.reachable(who).wide_roles
        if len(roles) > cap:
            some = ", ".join(sorted(role for role, _ in roles))
            yield StackFinding(
                f"{shown(who)} comes to {show(len(roles), 'role')} on whole projects or clusters, "
                f"allowed {show(cap)}: {some}"
            )


RULE: Final = StackRule(
    id="iam-effective-per-principal",
    display_name="No principal gathers roles",
    description=(
        "No principal holds, itself or through those it can become, more roles on whole projects, "
        "folders, organizations or clusters than the cap."
    ),
    why="Role by role each grant looks small; together they administer the project.",
    remediation=(
        "split the work over several service accounts, or grant the roles on single resources."
    ),
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/iam/docs/using-iam-securely#least_privilege",
    references=(Reference("NIST 800-53", "AC-6"),),
    limits=(
        NumberLimit(
            "maxProjectRoles", "Most roles of one principal on projects and clusters", default=8
        ),
    ),
    check=_check,
)

"""Nobody becomes an administrator by way of others."""

from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.access.model import is_agent, shown
from policies.access.reach import access_of, explain, table
from policies.shared.limits import Limits
from policies.shared.rule import Reference, StackFinding, StackRule
from resources.properties import note_unknown
from resources.resource import Resource


def _check(resources: Sequence[Resource], _limits: Limits) -> Iterator[StackFinding]:
    access = access_of(resources)
    if access.unknown:
        note_unknown()
    for target in access.principals:
        held = access.administers(target)
        if held is None:
            continue
        for who, path in sorted(access.reaching(target).items()):
            if not is_agent(who) and access.administers(who) is None:
                yield StackFinding(
                    f"{explain(who, path)}, and {shown(target)} has {held.role} on {held.scope}"
                )


RULE: Final = StackRule(
    id="iam-no-escalation-chain",
    display_name="No escalation to administrator",
    description=(
        "No principal becomes an administrator of a project or cluster by impersonating accounts "
        "or deploying code as them."
    ),
    why="Whoever takes over the first principal of the chain holds the whole project.",
    remediation="take one link away: the right to act as the account, or the account's role.",
    severity=Severity.CRITICAL,
    level=EnforcementLevel.MANDATORY,
    never_exempt="the chain ends at an administrator",
    url="https://cloud.google.com/iam/docs/best-practices-service-accounts#lateral-movement",
    references=(Reference("MITRE ATT&CK", "T1098"),),
    check=_check,
    table=table,
)

"""No principal holds two rights that are harmless alone and harmful together."""

from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.access.model import is_agent, shown
from policies.access.reach import Access, access_of
from policies.shared.limits import Limits
from policies.shared.rule import Reference, StackFinding, StackRule
from resources.properties import note_unknown
from resources.resource import Resource


def _check(resources: Sequence[Resource], _limits: Limits) -> Iterator[StackFinding]:
    access = access_of(resources)
    if access.unknown:
        note_unknown()
    for who in sorted(access.held):
        if not is_agent(who):
            yield from _deploys_as_privileged(access, who)
            yield from _leaks_secrets(access, who)
            may = access.may(who)
            if {"write-data", "delete-audit"} <= may and access.administers(who) is None:
                yield StackFinding(f"{shown(who)} writes data and deletes audit logs")


def _deploys_as_privileged(access: Access, who: str) -> Iterator[StackFinding]:
    targets = {
        to: None
        for way in access.ways(who)
        if way.how == "deploys code as"
        for to in way.targets
        if to in access.privileged_accounts and to != who
    }
    for to in targets:
        held = access.privileged(to)
        if held is not None:
            yield StackFinding(
                f"{shown(who)} deploys code and acts as {shown(to)}, "
                f"which has {held.role} on {held.scope}"
            )


def _leaks_secrets(access: Access, who: str) -> Iterator[StackFinding]:
    if "read-secrets" in access.may(who):
        for workload in access.workloads.get(who, ()):
            if workload.public_egress:
                yield StackFinding(
                    f"runs as {shown(who)}, which reads secrets, and reaches the internet",
                    workload.resource,
                )


RULE: Final = StackRule(
    id="iam-no-toxic-pair",
    display_name="No toxic pair of rights",
    description=(
        "No principal deploys code as a privileged account, reads secrets with a way out to the "
        "internet, or writes data and deletes the audit logs of it."
    ),
    why="Each right is harmless alone; the two together take what neither was meant to give.",
    remediation=(
        "give the two rights to different principals, or send the workload's traffic through the "
        "VPC with vpcAccess.egress ALL_TRAFFIC."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/iam/docs/best-practices-service-accounts#lateral-movement",
    references=(Reference("CIS Google Cloud", "1.8"),),
    check=_check,
)

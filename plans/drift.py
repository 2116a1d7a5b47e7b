"""What is in the cloud otherwise than in the state: what kind of a difference, and who decides."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from cost.estimate import estimate
from plans import access, exposure
from plans.plan import Plan, Step, asked, walk
from plans.questions import question
from plans.words import SAME, difference
from policies.engine.packs import packs
from policies.reports.run import Finding
from resources.resource import Stack

SECURITY: Final = "security"
COST: Final = "cost"
SERVING: Final = "serving"
COSMETIC: Final = "cosmetic"
CLASSES: Final = (SECURITY, COST, SERVING, COSMETIC)
"""What a difference may be, the one to look at first before the rest."""

GRANTS: Final = re.compile(r"IAM(Member|Binding|Policy)$|:(Cluster)?RoleBinding$")
_PROTECTS: Final = re.compile(
    r"iam|accesscontextmanager|binaryauthorization|orgpolicy|modelarmor|gcp:(kms|secretmanager|"
    r"certificateauthority|certificatemanager|logging)/|firewall|securityPolicy|sslPolicy|"
    r"kubernetes:rbac|NetworkPolicy|AdmissionPolicy|:(Secret|ServiceAccount)$",
    re.IGNORECASE,
)
# Of Google's resources: in Kubernetes labels select, and annotations configure.
_WORDS: Final = re.compile(r"(\w*[lL]abels|description|displayName|friendlyName|documentation)\b")


@dataclass(frozen=True)
class Drift:
    """One resource that is otherwise: its classes, what it means, and what to ask before it is
    put back."""

    step: Step
    classes: tuple[str, ...]
    meaning: tuple[str, ...]
    ask: str


def drifts(
    plan: Plan, findings: Mapping[str, Sequence[Finding]], replaced: frozenset[str], today: date
) -> list[Drift]:
    """Return what differs, by its first class and then by name.

    `plan` has what the state holds before and what the cloud has after; `findings` are by URN;
    `replaced` are the URNs of what is made anew when it is put back.
    """
    found = [
        _drift(plan, step, findings.get(step.urn, ()), step.urn in replaced, today)
        for step in plan.changes
    ]
    return sorted(found, key=lambda each: (CLASSES.index(each.classes[0]), each.step.name))


def _drift(
    plan: Plan, step: Step, findings: Sequence[Finding], replaced: bool, today: date
) -> Drift:
    sides = [Stack([each] if each else []) for each in (step.before, step.after)]
    new, gone = exposure.changed(*sides)
    given, taken = _access(plan, step) if GRANTS.search(step.type) else ([], [])
    costs = [estimate(asked(each), today=today).expected for each in sides]
    bill = difference(*costs)
    meaning = [
        *new,
        *(f"no more: {each}" for each in gone),
        *(each.words for each in given),
        *(f"no more: {each.words}" for each in taken),
        *([] if bill == SAME else [f"the bill of a month: {bill}"]),
        *(f"{each.rule['id']}: {each.text}" for each in findings),
    ]
    secures = bool(_PROTECTS.search(step.type) or new or gone or given or taken)
    classes = {
        SECURITY: secures or any(_class_of(each) == SECURITY for each in findings),
        COST: bill != SAME or any(_class_of(each) == COST for each in findings),
        SERVING: any(_class_of(each) == SERVING for each in findings),
        COSMETIC: _is_words(step),
    }
    classes[SERVING] |= not any(classes.values()) or step.operation == "delete"
    return Drift(
        step,
        tuple(each for each in CLASSES if classes[each]),
        tuple(meaning),
        question(step, taken=bool(taken), closed=bool(gone), replaced=replaced),
    )


def _access(plan: Plan, step: Step) -> tuple[list[access.Grant], list[access.Grant]]:
    """Return what is granted anew and no longer, as a grant is read beside the roles it names."""
    others = [each for each in plan.before if each.urn != step.urn]
    return access.changed(plan.before, Stack([*others, step.after] if step.after else others))


def _class_of(finding: Finding) -> str:
    rule = str(finding.rule["id"])
    if rule.startswith("rel-"):
        return SERVING
    limits = any(each.id == rule for each in packs()["scale-limits"])
    return COST if limits else SECURITY


def _is_words(step: Step) -> bool:
    return (
        bool(step.changed)
        and step.type.startswith("gcp:")
        and all(_WORDS.match(str(walk(path)[0])) for path in step.changed)
    )

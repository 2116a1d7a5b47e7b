"""No reservation or commitment buys more slots than a cap."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NamesLimit, NumberLimit
from policies.shared.rule import ResourceRule
from resources.properties import MISSING, UNKNOWN, Absence, number, show, text
from resources.resource import Resource

_RESERVATION: Final = "gcp:bigquery/reservation:Reservation"
_COMMITMENT: Final = "gcp:bigquery/capacityCommitment:CapacityCommitment"


def _slots(resource: Resource) -> float | Absence:
    if resource.type == _COMMITMENT:
        return number(resource.props, "slotCount")
    base = number(resource.props, "slotCapacity")
    # With a scaling mode maxSlots bounds all; else the autoscaled slots come on top.
    most = number(resource.props, "maxSlots")
    scaled = number(resource.props, "autoscale", "maxSlots")
    if isinstance(most, float) and isinstance(base, float):
        return max(most, base)
    if UNKNOWN in (base, most, scaled) or base is MISSING:
        return UNKNOWN
    return (base if isinstance(base, float) else 0.0) + (
        scaled if isinstance(scaled, float) else 0.0
    )


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    cap = limits.number("maxSlots")
    slots = _slots(resource)
    if isinstance(slots, Absence):
        yield f"its number of slots is {slots.value}, allowed {show(cap)}"
    elif slots > cap:
        yield f"may take {show(slots, 'slot')}, allowed {show(cap)}"
    plans = limits.names("commitmentPlans")
    if resource.type == _COMMITMENT and text(resource.props, "plan") not in plans:
        yield f"commits by a plan that is not allowed: {', '.join(plans) or 'none is'}"


RULE: Final = ResourceRule(
    id="scale-bq-slots",
    display_name="BigQuery slots are capped",
    description=(
        "BigQuery reservations and commitments stay within the cap of slots, and commitments "
        "use allowed plans."
    ),
    why="A commitment is billed for its whole term, used or not.",
    remediation=(
        "lower slotCapacity, autoscale.maxSlots or slotCount to plain numbers within the cap."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/bigquery/docs/reservations-intro",
    limits=(
        NumberLimit("maxSlots", "Most slots of one reservation or commitment"),
        NamesLimit(
            "commitmentPlans",
            "Plans by which slots may be committed",
            ("ANNUAL", "FLEX", "MONTHLY", "THREE_YEAR", "TRIAL"),
            default=(),
        ),
    ),
    applies=lambda resource_type: resource_type in (_RESERVATION, _COMMITMENT),
    check=_check,
)

"""A reservation of machines is small and ends by itself."""

from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NamesLimit, NumberLimit
from policies.shared.rule import ResourceRule
from resources.properties import MISSING, Absence, get, number, show, text
from resources.resource import Resource

_NOW: Final = "gcp:compute/reservation:Reservation"
_LATER: Final = "gcp:compute/futureReservation:FutureReservation"
_COUNTS: Final[Mapping[str, tuple[str, str]]] = {
    _NOW: ("specificReservation", "count"),
    _LATER: ("specificSkuProperties", "totalCount"),
}
_ENDS: Final[Mapping[str, tuple[str, ...]]] = {
    _NOW: ("deleteAtTime", "deleteAfterDuration"),
    _LATER: ("autoCreatedReservationsDeleteTime", "autoCreatedReservationsDuration"),
}


_COMMITMENT: Final = "gcp:compute/regionCommitment:RegionCommitment"


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    cap = limits.number("maxMachines")
    if resource.type == _COMMITMENT:
        if text(resource.props, "plan") not in limits.names("commitmentPlans"):
            yield "commits to pay for years, used or not"
        return
    count = number(resource.props, *_COUNTS[resource.type])
    if isinstance(count, Absence):
        yield f"its number of machines is {count.value}, allowed {show(cap)}"
    elif count > cap:
        yield f"reserves {show(count, 'machine')}, allowed {show(cap)}"
    if all(get(resource.props, end) is MISSING for end in _ENDS[resource.type]):
        yield "has no end"


RULE: Final = ResourceRule(
    id="scale-reservations",
    display_name="Reservations are capped and end",
    description="A reservation is within the cap of machines and has an end.",
    why="A reservation is billed like running machines, also when nothing runs on it.",
    remediation=(
        "set the count to a plain number within the cap, and deleteAtTime or deleteAfterDuration."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/compute/docs/instances/reservations-overview",
    limits=(
        NumberLimit("maxMachines", "Most machines of one reservation"),
        NamesLimit("commitmentPlans", "Plans of committed use that may be bought", default=()),
    ),
    applies=lambda resource_type: resource_type in _COUNTS or resource_type == _COMMITMENT,
    check=_check,
)

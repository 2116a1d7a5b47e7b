"""No two routes of an inference gateway claim the same request."""

from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.request_paths import breaches
from policies.shared.rule import StackFinding, StackRule
from request_path.finding import Check
from resources.resource import Resource


def _check(resources: Sequence[Resource], _: Limits) -> Iterator[StackFinding]:
    return breaches(Check.UNAMBIGUOUS, resources)


RULE: Final = StackRule(
    id=Check.UNAMBIGUOUS.value,
    display_name="No two routes claim the same request",
    description=(
        "No two matches of the routes of an inference gateway take the same request with the same "
        "precedence."
    ),
    why="The older route gets every such request, so which model answers depends on history.",
    remediation="tell the matches apart by host, path or the header with the model's name.",
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule",
    check=_check,
)

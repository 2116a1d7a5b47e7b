"""A property that looks like a destination is in the table of destinations."""

import re
from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.destinations import DESTINATIONS
from policies.shared.limits import Limits
from policies.shared.rule import ResourceRule
from resources.properties import Props, search
from resources.resource import Resource

_LOOKS_LIKE: Final = re.compile(
    r"destination(?!Range|Port|Path|Phase|Target|Format|Service|Address)[A-Za-z]*"
    r"|[a-z][A-Za-z]*(Sink|OutputUri|OutputPath|OutputBucket|ExportUri|ExportBucket|DumpPath)"
    r"|gcs(Output|Destination)[A-Za-z]*|output(Uri|Bucket|Dataset|Table)|(push|webhook)[A-Z]\w*"
    r"|pubsub(Destination|Topic)|webhook"
)


def _suspect(name: str, value: object, _holder: Props) -> tuple[str, ...] | None:
    found = isinstance(value, str) and value and _LOOKS_LIKE.fullmatch(name)
    return (name,) if found else None


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    for name in sorted(set(search(resource.props, _suspect))):
        yield f"{name} may be a destination, and no row of the table covers the type"


def _applies(resource_type: str) -> bool:
    return resource_type.startswith("gcp:") and resource_type not in DESTINATIONS


RULE: Final = ResourceRule(
    id="data-destinations-known",
    display_name="Destinations are known",
    description=(
        "Every property that looks like a destination is of a type that data-destinations has "
        "rows for."
    ),
    why="A type without a row is not covered: where its data goes was not looked at.",
    remediation="look at where it leads, and add a row to policies/shared/destinations.py.",
    severity=Severity.LOW,
    level=EnforcementLevel.ADVISORY,
    url="https://cloud.google.com/vpc-service-controls/docs/overview",
    applies=_applies,
    check=_check,
)

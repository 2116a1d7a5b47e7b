"""What costs money carries the labels that the environment prescribes."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.rules.scale_limits.cost_labels import BILLED
from policies.shared.limits import Limits, NamesLimit
from policies.shared.rule import Reference, ResourceRule
from resources.properties import UNKNOWN, get
from resources.resource import Resource

_LABEL: Final = re.compile(r"(?P<key>[a-z][a-z0-9_-]{0,62})=(?P<value>[a-z0-9_-]{0,63})")
# Resources that call their labels by another name.
_NAMES: Final[Mapping[str, str]] = {"gcp:container/cluster:Cluster": "resourceLabels"}


def _prescribed(limits: Limits) -> dict[str, str]:
    matches = map(_LABEL.fullmatch, limits.names("labels"))
    return {match["key"]: match["value"] for match in matches if match}


def _property(resource: Resource) -> str:
    return _NAMES.get(resource.type, "labels")


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    if any(_LABEL.fullmatch(each) is None for each in limits.names("labels")):
        yield "cannot be checked: a label in the policy config is not written as key=value"
    for key, value in _prescribed(limits).items():
        found = get(resource.props, _property(resource), key)
        if found is not UNKNOWN and found != value:
            yield f"does not have the label {key}={value}"


def _remediate(resource: Resource, limits: Limits) -> Mapping[str, object]:
    return {_property(resource): _prescribed(limits)}


RULE: Final = ResourceRule(
    id="cost-labels-prescribed",
    display_name="Resources carry the prescribed labels",
    description="Every resource that takes labels has those that the environment prescribes.",
    why="What the bill is split by must not depend on whether a program remembered it.",
    remediation="set the label on the resource, or list this rule under remediate.",
    severity=Severity.LOW,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/resource-manager/docs/best-practices-labels",
    references=(Reference("checkov", "CKV_GCP_21"),),
    limits=(
        NamesLimit("labels", "Labels every billed resource has, written key=value", default=()),
    ),
    applies=lambda resource_type: resource_type in BILLED,
    check=_check,
    remediate=_remediate,
)

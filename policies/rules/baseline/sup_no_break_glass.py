"""Nothing runs past Binary Authorization, and its policy refuses something.

Whether the stack asks Binary Authorization at all is `sup-binauthz`.
"""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.expected import Expected, unmet
from policies.shared.limits import Limits
from policies.shared.rule import ResourceRule
from policies.shared.types import CLOUD_RUN, CLOUD_RUN_FIRST
from resources.pods import changes_pods, pod_templates
from resources.properties import MISSING, all_at, get, text
from resources.resource import Resource

_POLICY: Final = "gcp:binaryauthorization/policy:Policy"
_DECIDES: Final = (
    Expected("evaluationMode", ("ALWAYS_DENY", "REQUIRE_ATTESTATION")),
    Expected("enforcementMode", ("ENFORCED_BLOCK_AND_AUDIT_LOG",)),
)
_BREAK_GLASS: Final = "run.googleapis.com/binary-authorization-breakglass"
# Where a pod says that it goes past admission, and what it says it by.
_PODS: Final = (
    ("labels", "image-policy.k8s.io/break-glass"),
    ("annotations", "alpha.image-policy.k8s.io/break-glass"),
)


def _policy(props: object) -> Iterator[str]:
    for finding in unmet(get(props, "defaultAdmissionRule"), _DECIDES):
        yield f"defaultAdmissionRule: {finding}"
    # A rule of one cluster stands before the default.
    for index, rule in enumerate(all_at(props, ("clusterAdmissionRules", "*"))):
        yield from (f"clusterAdmissionRules[{index}]: {each}" for each in unmet(rule, _DECIDES))
    for pattern in all_at(props, ("admissionWhitelistPatterns", "*", "namePattern")):
        # A host alone is everybody's on it.
        if isinstance(pattern, str) and pattern.rstrip("*/").count("/") == 0:
            yield "admissionWhitelistPatterns let images of anybody pass"


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    if resource.type == _POLICY:
        yield from _policy(resource.props)
    elif resource.type in CLOUD_RUN:
        if get(resource.props, "binaryAuthorization", "breakglassJustification") not in (
            MISSING,
            "",
        ):
            yield "goes past Binary Authorization by breakglassJustification"
    elif resource.type == CLOUD_RUN_FIRST:
        if get(resource.props, "metadata", "annotations", _BREAK_GLASS) not in (MISSING, ""):
            yield "goes past Binary Authorization by an annotation"
    else:
        for template in pod_templates(resource.type, resource.props):
            for place, name in _PODS:
                if text(template, "metadata", place, name) == "true":
                    yield f"goes past Binary Authorization by one of its {place}"


RULE: Final = ResourceRule(
    id="sup-no-break-glass",
    display_name="Nothing goes past Binary Authorization",
    description=(
        "No pod, service or job breaks glass, and a policy of Binary Authorization refuses what "
        "has no attestation."
    ),
    why="Breaking glass is for one hour of an incident: in a program it stays.",
    remediation="remove it; by hand it can still be done when it has to.",
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/binary-authorization/docs/using-breakglass",
    applies=lambda resource_type: (
        resource_type in (_POLICY, CLOUD_RUN_FIRST, *CLOUD_RUN) or changes_pods(resource_type)
    ),
    check=_check,
)

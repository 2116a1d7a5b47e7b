"""A Cloud Run service checks who invokes it."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import ResourceRule
from policies.shared.types import CLOUD_RUN_FIRST
from resources.properties import MISSING, flag, text
from resources.resource import Resource

_ANNOTATION: Final = ("metadata", "annotations", "run.googleapis.com/invoker-iam-disabled")


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    if resource.type == CLOUD_RUN_FIRST:
        if str(text(resource.props, *_ANNOTATION)).lower() not in (str(MISSING).lower(), "false"):
            yield f"{_ANNOTATION[-1]} is not false, so callers are not checked"
        return
    disabled = flag(resource.props, "invokerIamDisabled")
    if disabled is MISSING or disabled is False:
        return
    behind_proxy = (
        text(resource.props, "ingress") == "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
        and flag(resource.props, "iapEnabled") is True
    )
    if not behind_proxy:
        state = "true" if disabled is True else "not known before the update"
        yield f"invokerIamDisabled is {state}, so callers are not checked"


RULE: Final = ResourceRule(
    id="iam-cloudrun-invoker-check-on",
    display_name="Cloud Run checks its invokers",
    description=(
        "A Cloud Run service keeps the IAM check of its invokers, unless Identity-Aware Proxy "
        "stands before it."
    ),
    why=(
        "Without the check anyone who reaches the service can call it, whatever roles/run.invoker "
        "says."
    ),
    remediation="remove invokerIamDisabled and grant roles/run.invoker to the callers.",
    severity=Severity.CRITICAL,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/run/docs/securing/managing-access#invoker_check",
    applies=lambda resource_type: (
        resource_type in (CLOUD_RUN_FIRST, "gcp:cloudrunv2/service:Service")
    ),
    check=_check,
)

"""No request reaches a model, and no answer leaves one, around the guardrail."""

from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NamesLimit
from policies.shared.request_paths import breaches
from policies.shared.rule import StackFinding, StackRule
from request_path.finding import Check
from resources.resource import Resource


def _check(resources: Sequence[Resource], limits: Limits) -> Iterator[StackFinding]:
    unscreened, foreign = limits.names("unscreenedModels"), limits.names("foreignServices")
    return breaches(Check.GUARDED, resources, unscreened, foreign)


RULE: Final = StackRule(
    id=Check.GUARDED.value,
    display_name="Every path to a model passes a guardrail",
    description=(
        "Every route of an inference gateway leads its prompts and its answers through a guardrail "
        "that fails closed, after API management where there is some, except for models that are "
        "allowed to go unscreened."
    ),
    why=(
        "A load balancer runs the first extension chain that matches and no other, so one path, "
        "event or model name that is left out is a way around all screening."
    ),
    remediation=(
        "put the guardrail into one chain for every path, with the body events of request and "
        "response and failOpen false, on the Gateway's own namespace; or name the model in "
        "unscreenedModels."
    ),
    severity=Severity.CRITICAL,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/service-extensions/docs/lb-extensions-overview",
    limits=(
        NamesLimit("unscreenedModels", "Models that may go without a guardrail", default=()),
        NamesLimit("foreignServices", "Services that others make, which may be called", default=()),
    ),
    check=_check,
)

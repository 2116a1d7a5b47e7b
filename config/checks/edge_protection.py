"""Edge protection: not together with a guardrail, and not for nothing."""

from collections.abc import Iterator

from catalog.limits.guardrails import UNSCREENED
from catalog.problems import Problem, joined
from config.known import Known


def check_edge_protection(known: Known) -> Iterator[Problem]:
    """Check the policy beside the guardrails.

    Cloud Armor and a callout to Model Armor on one backend service are reported to exclude each
    other, by the limitations of Service Extensions; the report is about an external load balancer:
    https://github.com/GoogleCloudPlatform/genai-factory/issues/12
    """
    policy = known.edge_protection
    if policy is None:
        return
    path = ("edge_protection",)
    if not (policy.allow or policy.deny or policy.rate_limit or policy.waf):
        yield Problem(
            path, "no rule", "allow, deny, rate_limit or waf", "add one or remove edge_protection"
        )
    screened = [name for name, model in known.models.items() if model.guardrail != UNSCREENED]
    if screened and not policy.with_guardrails:
        yield Problem(
            path,
            f"a Cloud Armor policy beside guardrails (of {joined(screened)})",
            "one of the two, as they're reported not to work on the same backend service",
            "remove it, set `guardrail: none` for every model, or verify that it works on your load"
            " balancer and set with_guardrails: true",
        )

"""A workload identity provider says whose tokens it takes."""

import re
from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.properties import MISSING, Absence, entries, flag, get, text
from resources.resource import Resource

# A comparison of something in the token: `assertion.repository == "acme/app"`.
_TELLS_APART: Final = re.compile(
    r"\b(assertion|attribute|google)[.\[][^&|]*"
    r"(==|\bin\b|\.(startsWith|endsWith|contains|matches)\s*\()"
    r"|(==|\bin\b)\s*(assertion|attribute|google)\b"
)
# What makes it hold for everyone: a constant, or a text that every text starts with or matches.
_ALWAYS: Final = re.compile(
    r"(^|\|\||\()\s*(true|1\s*==\s*1)\s*(\)|\|\||$)"
    r"|\.(startsWith|endsWith|contains)\s*\(\s*(\"\"|'')\s*\)"
    r"|[\"']\^?(\.?\*|\.\+)\$?[\"']"
)


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    # An AWS account or a trust store is a restriction by itself.
    federated = any(get(resource.props, kind) is not MISSING for kind in ("oidc", "saml"))
    if flag(resource.props, "disabled") is True or not federated:
        return
    condition = text(resource.props, "attributeCondition")
    if isinstance(condition, Absence):
        yield f"its attributeCondition is {condition.value}"
    elif not _TELLS_APART.search(condition):
        yield "its attributeCondition does not look at the token"
    elif _ALWAYS.search(condition):
        yield "its attributeCondition holds for every token"
    audiences = entries(resource.props, "oidc", "allowedAudiences")
    if isinstance(audiences, tuple) and any(
        isinstance(each, str) and "*" in each for each in audiences
    ):
        yield "takes tokens for any audience"


RULE: Final = ResourceRule(
    id="iam-wif-provider-restricted",
    display_name="Workload identity providers are restricted",
    description=(
        "A workload identity pool provider has an attribute condition and no wildcard audience."
    ),
    why=(
        "Public issuers sign tokens for anyone: without a condition any of their customers can "
        "sign in."
    ),
    remediation=(
        "set attributeCondition to a test of assertion.*, such as the organization and repository."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/iam/docs/workload-identity-federation#conditions",
    references=(
        Reference("checkov", "CKV_GCP_118"),
        Reference("checkov", "CKV_GCP_125"),
        Reference("trivy", "GCP-0068"),
    ),
    applies=lambda resource_type: (
        resource_type == "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"
    ),
    check=_check,
)

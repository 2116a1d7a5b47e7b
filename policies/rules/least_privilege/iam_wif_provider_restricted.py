"""A workload identity provider says whose tokens it takes."""

import re
from collections.abc import Iterator, Mapping, Set
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.access.conditions import Tokens, alternatives, literal
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

# Issuers that sign tokens for any customer: the claims that name one, by which none can be forged.
_PUBLIC: Final[Mapping[str, Set[str]]] = {
    "https://token.actions.githubusercontent.com": {
        "enterprise",
        "enterprise_id",
        "job_workflow_ref",
        "repository",
        "repository_id",
        "repository_owner",
        "repository_owner_id",
        "sub",
        "workflow_ref",
    },
    "https://gitlab.com": {"namespace_id", "namespace_path", "project_id", "project_path", "sub"},
    "https://app.terraform.io": {
        "sub",
        "terraform_organization_id",
        "terraform_organization_name",
        "terraform_workspace_id",
    },
}
_ROOTS: Final = ("assertion", "attribute", "google")


def _claim(tokens: Tokens) -> str | None:
    """Return the claim that tokens name, such as `assertion.repository`."""
    if len(tokens) == 3 and tokens[0] in _ROOTS and tokens[1] == ".":
        return "sub" if tokens == ("google", ".", "subject") else tokens[2]
    bracketed = len(tokens) == 4 and tokens[0] in _ROOTS and (tokens[1], tokens[3]) == ("[", "]")
    return literal(tokens[2]) if bracketed else None


def _named(statement: Tokens) -> str | None:
    """Return the claim that a statement holds to given texts, None where there is none."""
    for size in (3, 4):
        claim, rest = _claim(statement[:size]), statement[size:]
        if claim is None:
            continue
        same = len(rest) == 2 and rest[0] == "==" and literal(rest[1])
        listed = rest[:2] == ("in", "[") and rest[-1] == "]" and len(rest) > 3
        begins = (
            len(rest) == 5
            and rest[:3] == (".", "startsWith", "(")
            # The text holds the whole name of the customer.
            and bool(re.fullmatch(r".*[^/:]+/.*", literal(rest[3]) or ""))
        )
        if same or begins or (listed and all(map(_listed, rest[2:-1]))):
            return claim
    turned = len(statement) > 2 and literal(statement[0]) and statement[1] in ("==", "in")
    return _claim(statement[2:]) if turned else None


def _listed(part: str) -> bool:
    return part == "," or bool(literal(part))


def _holds_to_one(condition: str, telling: Set[str]) -> bool:
    """Tell whether each alternative of a condition names who may come."""
    return all(
        any(_named(statement) in telling for statement in statements)
        for statements in alternatives(condition)
    )


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    # An AWS account or a trust store is a restriction by itself.
    federated = any(get(resource.props, kind) is not MISSING for kind in ("oidc", "saml"))
    if flag(resource.props, "disabled") is True or not federated:
        return
    condition = text(resource.props, "attributeCondition")
    telling = _PUBLIC.get(str(text(resource.props, "oidc", "issuerUri")).rstrip("/"))
    if isinstance(condition, Absence):
        yield f"its attributeCondition is {condition.value}"
    elif not _TELLS_APART.search(condition):
        yield "its attributeCondition does not look at the token"
    elif _ALWAYS.search(condition):
        yield "its attributeCondition holds for every token"
    elif telling and not _holds_to_one(condition, telling):
        yield "its attributeCondition does not name whose tokens of a public issuer it takes"
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

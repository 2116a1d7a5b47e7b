"""A provider of workload or workforce identities says whose tokens it takes."""

import re
from collections.abc import Iterator, Mapping, Set
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.access.conditions import Tokens, alternatives, literal
from policies.shared.limits import Limits, NamesLimit
from policies.shared.rule import Reference, ResourceRule
from resources.properties import MISSING, UNKNOWN, Absence, entries, flag, get, text
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
_WORKLOADS: Final = "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"
_PROVIDERS: Final = ("gcp:iam/workforcePoolProvider:WorkforcePoolProvider", _WORKLOADS)
# An expression over the token: what stands in quotes is a text.
_READS: Final = re.compile(r"^(?:[^'\"]|'[^']*'|\"[^\"]*\")*?\bassertion\b")
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


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    if flag(resource.props, "disabled") is True:
        return
    aws = get(resource.props, "aws") if resource.type == _WORKLOADS else MISSING
    account = text(aws, "accountId")
    if account not in (MISSING, UNKNOWN, *limits.names("awsAccounts")):
        yield "takes identities of an account of AWS that the environment does not name"
    issuer = text(resource.props, "oidc", "issuerUri")
    if isinstance(issuer, str) and not issuer.startswith("https://"):
        yield "takes tokens of an issuer that anybody on the way can stand in for"
    # A named account is a restriction by itself; an authority issues certificates to many.
    if aws is not MISSING:
        return
    subject = text(resource.props, "attributeMapping", "google.subject")
    if isinstance(subject, str) and not _READS.search(subject):
        yield "maps every token to one google.subject, so that nobody can be told apart"
    condition = text(resource.props, "attributeCondition")
    telling = _PUBLIC.get(str(issuer).rstrip("/"))
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
    display_name="Identity providers are restricted",
    description=(
        "A provider of a workload identity or workforce pool, by OIDC, SAML or X.509, has an "
        "attribute condition, an issuer with TLS and no wildcard audience; one of AWS, a named "
        "account."
    ),
    why=(
        "Public issuers sign tokens for anyone: without a condition any of their customers can "
        "sign in."
    ),
    remediation=(
        "set attributeCondition to a test of assertion.*, such as the organization and repository, "
        "or name the account of AWS in the policy config."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/iam/docs/workload-identity-federation#conditions",
    references=(
        Reference("checkov", "CKV_GCP_118"),
        Reference("checkov", "CKV_GCP_125"),
        Reference("trivy", "GCP-0068"),
    ),
    limits=(NamesLimit("awsAccounts", "Accounts of AWS whose identities may sign in", default=()),),
    applies=lambda resource_type: resource_type in _PROVIDERS,
    check=_check,
)

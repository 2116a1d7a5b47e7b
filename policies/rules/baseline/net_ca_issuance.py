"""A private authority issues what it is there for."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.access.conditions import Tokens, each_way, literal
from policies.shared.limits import Limits, NumberLimit
from policies.shared.rule import ResourceRule
from resources.durations import seconds
from resources.properties import MISSING, UNKNOWN, elements, flag, get, number, show, text
from resources.resource import Resource

_POOL: Final = "gcp:certificateauthority/caPool:CaPool"
# What asks an authority for certificates: where their life stands.
_LIVES: Final = {
    "gcp:certificateauthority/certificate:Certificate": "lifetime",
    "gcp:certificateauthority/certificateTemplate:CertificateTemplate": "maximumLifetime",
    "gcp:certificatemanager/certificateIssuanceConfig:CertificateIssuanceConfig": "lifetime",
}
_ALL: Final = ("subject_alt_names", ".", "all", "(")
# How a name is held to one that the policy gives.
_HELD: Final = (("==",), ("in",), (".", "endsWith", "("), (".", "matches", "("))
# Google issues for no RSA key of fewer bits.
_BITS: Final = 2048
_DAY: Final = 86400.0


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    most = limits.number("maxDays")
    if resource.type in _LIVES:
        life = seconds(resource.props, _LIVES[resource.type])
        if isinstance(life, float) and life > most * _DAY:
            yield f"asks for certificates of more than {show(most, 'day')}"
        return
    policy = get(resource.props, "issuancePolicy")
    if policy is UNKNOWN:
        return
    names = get(policy, "identityConstraints")
    expression = text(names, "celExpression", "expression")
    passes = ("allowSubjectPassthrough", "allowSubjectAltNamesPassthrough")
    # Where no name of the request is taken, a template gives all of them.
    taken = any(flag(names, each) is not False for each in passes)
    if taken and expression is not UNKNOWN and not _limits_names(expression):
        yield "issues certificates for every name that is asked for"
    for key in elements(policy, "allowedKeyTypes"):
        least = number(key, "rsa", "minModulusSize")
        if isinstance(least, float) and 0 < least < _BITS:
            yield f"issues for RSA keys of less than {show(_BITS, 'bit')}"
    authority = get(policy, "baselineValues", "caOptions")
    end = flag(authority, "nonCa") in (True, UNKNOWN) or flag(authority, "isCa") in (False, UNKNOWN)
    if not end or flag(authority, "isCa") is True:
        yield "may issue authorities"
    life = seconds(policy, "maximumLifetime")
    if life is MISSING or (isinstance(life, float) and life > most * _DAY):
        yield f"issues for more than {show(most, 'day')}"


def _limits_names(expression: object) -> bool:
    """Return whether an expression holds every alternative name to some that it gives.

    https://cloud.google.com/certificate-authority-service/docs/using-cel
    """
    return isinstance(expression, str) and each_way(expression, _limits_each)


def _limits_each(statement: Tokens) -> bool:
    if statement[:4] == _ALL and statement[-1:] == (")",) and statement[5:6] == (",",):
        return each_way(statement[6:-1], _gives_names)
    # One that is named by its place.
    return statement[:2] == ("subject_alt_names", "[") and _gives_names(statement)


def _gives_names(statement: Tokens) -> bool:
    if statement[:1] == ("!",) or "value" not in statement:
        return False
    after = statement[statement.index("value") + 1 :]
    texts = [found for token in after if (found := literal(token)) is not None]
    return (
        any(after[: len(each)] == each for each in _HELD)
        and bool(texts)
        and all(text.strip(".*+^$") for text in texts)
    )


RULE: Final = ResourceRule(
    id="net-ca-issuance",
    display_name="Authorities issue for named hosts",
    description=(
        "The policy of a CA pool limits the names and the life of what it issues, none of which "
        "is an authority."
    ),
    why="Clients that trust the authority take every certificate of it for real.",
    remediation=(
        "set issuancePolicy with identityConstraints.celExpression, baselineValues.caOptions.nonCa "
        "and maximumLifetime."
    ),
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/certificate-authority-service/docs/policy-controls",
    limits=(NumberLimit("maxDays", "Longest life of a certificate", default=398),),
    applies=lambda resource_type: resource_type == _POOL or resource_type in _LIVES,
    check=_check,
)

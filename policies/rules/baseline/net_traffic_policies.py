"""Policies of load balancers and meshes refuse somebody, and ask for certificates."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import ResourceRule
from resources.kubernetes import kind_of, objects
from resources.properties import (
    MISSING,
    UNKNOWN,
    all_at,
    elements,
    entries,
    flag,
    get,
    is_mapping,
    is_sequence,
    text,
)
from resources.resource import Resource

_N: Final = "gcp:networksecurity/"
_AUTHZ: Final = f"{_N}authzPolicy:AuthzPolicy"
_CLASSIC: Final = f"{_N}authorizationPolicy:AuthorizationPolicy"
_WEB: Final = f"{_N}gatewaySecurityPolicyRule:GatewaySecurityPolicyRule"
_MESH: Final = "security.istio.io/AuthorizationPolicy"
# Type token or kind: a property, and the values by which anybody or plain text comes in.
_OPEN: Final[Mapping[str, tuple[tuple[str, tuple[object, ...]], ...]]] = {
    f"{_N}serverTlsPolicy:ServerTlsPolicy": (
        ("allowOpen", (True,)),
        ("mtlsPolicy.clientValidationMode", ("ALLOW_INVALID_OR_MISSING_CLIENT_CERT",)),
    ),
    "security.istio.io/PeerAuthentication": (
        ("spec.mtls.mode", ("DISABLE", "PERMISSIVE")),
        ("spec.portLevelMtls.*.mode", ("DISABLE", "PERMISSIVE")),
    ),
    "networking.istio.io/DestinationRule": (
        ("spec.trafficPolicy.tls.mode", ("DISABLE",)),
        ("spec.trafficPolicy.tls.insecureSkipVerify", (True,)),
        ("spec.trafficPolicy.portLevelSettings.*.tls.mode", ("DISABLE",)),
    ),
}
# Where rules stand, and what of a rule narrows it: with none of these it takes everybody.
_RULES: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    _AUTHZ: (("httpRules", "networkRules"), ("from", "to", "when")),
    _CLASSIC: (("rules",), ("sources", "destinations")),
    _MESH: (("spec.rules",), ("from", "to", "when")),
}
_ALWAYS: Final = ("true", "1 == 1")
# Paths, hosts and addresses, with the length of a prefix, that every request has.
_ANYTHING: Final = ("", "*", "/", "/*", ".*", "0.0.0.0/0", "::/0", "0.0.0.0", "::", 0)  # noqa: S104
# What of a session names where it goes: https://cloud.google.com/secure-web-proxy/docs/cel-matcher-language-reference
_NAMES_HOST: Final = re.compile(
    r"(host\(\)|destination\.(ip|port)|request\.host)\s*==\s*['\"]?\w"
    r"|inUrlList\(|inIpRange\(\s*destination"
    r"|host\(\)\.(contains|endsWith|matches|startsWith)\(\s*['\"][^'\"]*\w\.\w{2,}"
)
_URLS: Final = f"{_N}urlList:UrlList"
# A list that takes every host, or all those of a domain that anybody may register in.
_ANY_URL: Final = re.compile(
    r"(https?://)?\*?\.?(\*|[a-z]{2,}|(co|com|net|org)\.[a-z]{2})?(:\*|:\d+)?(/.*)?"
)


def _takes_everybody(rule: object, narrows: tuple[str, ...]) -> bool:
    if rule is UNKNOWN:
        return False
    return not any(_leaves_out(get(rule, name)) for name in narrows)


def _leaves_out(value: object, name: str = "") -> bool:
    """Return whether a part of a rule leaves anybody out: parts of a list are alternatives."""
    if is_mapping(value):
        return any(_leaves_out(get(value, each), each) for each in value if each != "ignoreCase")
    if is_sequence(value):
        parts = elements(value)
        return bool(parts) and all(_leaves_out(each, name) for each in parts)
    # Any principal is still one that has proven who it is, and `not...` leaves out what it names.
    if "rincipal" in name or name.startswith("not"):
        return value is not MISSING
    return value is UNKNOWN or value not in (MISSING, *_ALWAYS, *_ANYTHING)


def _rules(resource: Resource, policy: object) -> Iterator[str]:
    kind = resource.type if resource.type in _RULES else kind_of(resource.type)
    places, narrows = _RULES[kind]
    action = text(policy, *(("spec", "action") if kind == _MESH else ("action",)))
    if action not in ("ALLOW", MISSING):
        return
    for place in places:
        for index, rule in enumerate(all_at(policy, (*place.split("."), "*"))):
            if _takes_everybody(rule, narrows):
                yield f"{place}[{index}] allows everybody"
    if kind == _CLASSIC and entries(policy, "rules") in (MISSING, ()):
        yield "allows everybody, as it has no rules"


def _web(rule: object) -> Iterator[str]:
    matcher = text(rule, "sessionMatcher")
    on = flag(rule, "enabled") is not False and text(rule, "basicProfile") == "ALLOW"
    if on and isinstance(matcher, str):
        # Each of several alternatives is a way of its own; what is negated names what is left out.
        ways = re.split(r"\|\|", matcher)
        if any(way.lstrip("( ").startswith("!") or not _NAMES_HOST.search(way) for way in ways):
            yield "lets out to every host of the web"


def _urls(found: object) -> Iterator[str]:
    if any(
        isinstance(each, str) and _ANY_URL.fullmatch(each) for each in elements(found, "values")
    ):
        yield "values take every host of the web, or of a domain that anybody registers in"


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    kind = kind_of(resource.type)
    for each in objects(resource.type, resource.props):
        for path, opens in _OPEN.get(resource.type) or _OPEN.get(kind, ()):
            if any(value in opens for value in all_at(each, path.split("."))):
                yield f"{path} lets in without a certificate, or in clear"
        if resource.type in _RULES or kind in _RULES:
            yield from _rules(resource, each)
        elif resource.type == _WEB:
            yield from _web(each)
        elif resource.type == _URLS:
            yield from _urls(each)


_TYPES: Final = frozenset((*_OPEN, *_RULES, _WEB, _URLS))


RULE: Final = ResourceRule(
    id="net-traffic-policies",
    display_name="Traffic policies refuse somebody",
    description=(
        "Authorization policies, TLS policies and web gateways name whom they let through, and ask "
        "for valid certificates."
    ),
    why="A policy that allows everybody looks like protection and is none.",
    remediation="name sources, principals or hosts, and require client certificates.",
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/load-balancing/docs/auth-policy/auth-policy-overview",
    applies=lambda resource_type: resource_type in _TYPES or kind_of(resource_type) in _TYPES,
    check=_check,
)

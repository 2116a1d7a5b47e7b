"""Load balancers take modern TLS only and no plain HTTP, external ones only behind Cloud Armor.

A stack rule: whether a proxy only redirects is told by its URL map. Load
balancers that GKE makes for a Gateway are no resources of the program; see `net-k8s-no-public-lb`.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.expected import Expected, unmet
from policies.shared.limits import Limits, NumberLimit
from policies.shared.rule import Reference, StackFinding, StackRule
from resources.addresses import is_everywhere
from resources.properties import (
    MISSING,
    UNKNOWN,
    Absence,
    elements,
    entries,
    flag,
    get,
    number,
    text,
)
from resources.resource import Resource
from resources.wiring import referenced_names

_GCP: Final = "gcp:compute/"
_POLICIES: Final = (f"{_GCP}regionSslPolicy:RegionSslPolicy", f"{_GCP}sSLPolicy:SSLPolicy")
_URL_MAPS: Final = (f"{_GCP}regionUrlMap:RegionUrlMap", f"{_GCP}uRLMap:URLMap")
_RULES: Final = (
    f"{_GCP}forwardingRule:ForwardingRule",
    f"{_GCP}globalForwardingRule:GlobalForwardingRule",
)
_HTTP: Final = (
    f"{_GCP}regionTargetHttpProxy:RegionTargetHttpProxy",
    f"{_GCP}targetHttpProxy:TargetHttpProxy",
)
# A service of Media CDN is on the internet always.
_CDN: Final = "gcp:networkservices/edgeCacheService:EdgeCacheService"
# Whatever arrives is passed on as it is.
_TCP: Final = (
    f"{_GCP}regionTargetTcpProxy:RegionTargetTcpProxy",
    f"{_GCP}targetTCPProxy:TargetTCPProxy",
)
_INSTANCE: Final = f"{_GCP}targetInstance:TargetInstance"
_TLS: Final = (
    f"{_GCP}regionTargetHttpsProxy:RegionTargetHttpsProxy",
    f"{_GCP}targetHttpsProxy:TargetHttpsProxy",
    f"{_GCP}targetSSLProxy:TargetSSLProxy",
)
# What has backends, its protection and whether it is external when no scheme is set.
_BACKENDS: Final[Mapping[str, tuple[str, bool]]] = {
    f"{_GCP}backendBucket:BackendBucket": ("edgeSecurityPolicy", True),
    f"{_GCP}backendService:BackendService": ("securityPolicy", True),
    f"{_GCP}regionBackendService:RegionBackendService": ("securityPolicy", False),
}
_ARMOR: Final = (
    f"{_GCP}regionSecurityPolicy:RegionSecurityPolicy",
    f"{_GCP}securityPolicy:SecurityPolicy",
)
_ARMOR_RULES: Final = (
    f"{_GCP}regionSecurityPolicyRule:RegionSecurityPolicyRule",
    f"{_GCP}securityPolicyRule:SecurityPolicyRule",
)
_ADAPTIVE: Final = ("adaptiveProtectionConfig", "layer7DdosDefenseConfig", "enable")
_TARGETS: Final = (f"{_GCP}target", f"{_GCP}regionTarget")
_EXTERNAL: Final = ("EXTERNAL", "EXTERNAL_MANAGED")
_MODERN: Final = (
    Expected("minTlsVersion", ("TLS_1_2", "TLS_1_3")),
    Expected("profile", ("MODERN", "RESTRICTED", "FIPS_202205", "CUSTOM")),
)
# Without forward secrecy, or broken; the profile CUSTOM may name them.
_WEAK: Final = frozenset(
    {
        "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
        "TLS_RSA_WITH_AES_128_CBC_SHA",
        "TLS_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_RSA_WITH_AES_256_CBC_SHA",
        "TLS_RSA_WITH_AES_256_GCM_SHA384",
    }
)


def _policy(policy: Resource) -> Iterator[str]:
    yield from unmet(policy.props, _MODERN)
    features = entries(policy.props, "customFeatures")
    if features is UNKNOWN:
        yield "customFeatures are not known during preview"
    elif isinstance(features, tuple) and any(isinstance(e, str) and e in _WEAK for e in features):
        yield "customFeatures name weak ciphers"


def _is_external(scheme: str | Absence, *, by_default: bool) -> bool:
    return by_default if scheme is MISSING else scheme in (*_EXTERNAL, UNKNOWN)


def _own_names(url_map: Resource) -> frozenset[str]:
    """Return what others may call it by: its URN, its name, or the end of its address."""
    name = text(url_map.props, "name")
    called = name if isinstance(name, str) else url_map.name
    return frozenset({url_map.urn, called, f"urlMaps/{called}"})


def _called(resource: Resource, prop: str) -> frozenset[str]:
    """Return what a property calls another resource by."""
    found = text(resource.props, prop)
    wired = resource.dependencies.get(prop, ())
    return frozenset({"/".join(found.split("/")[-2:]), *wired} if isinstance(found, str) else wired)


def _targets(resources: Sequence[Resource]) -> frozenset[str]:
    """Return the names of the proxies, pools and instances that rules may lead to."""
    found = (each for each in resources if each.type.startswith(_TARGETS))
    named = (referenced_names(each, "name") | {each.name} for each in found)
    return frozenset(name for names in named for name in names)


def _leads_elsewhere(rule: Resource, targets: frozenset[str]) -> bool:
    """Return whether an external rule leads to what the stack has not, which nobody can judge."""
    target = text(rule.props, "target")
    return (
        isinstance(target, str)
        and _is_external(text(rule.props, "loadBalancingScheme"), by_default=True)
        and not rule.dependencies.get("target")
        and target.rpartition("/")[2] not in targets
    )


def _redirects(url_map: Resource) -> bool:
    """Return whether all it does is to send clients to HTTPS."""
    if not _is_redirect(url_map.props, "defaultUrlRedirect", "defaultService"):
        return False
    matchers = entries(url_map.props, "pathMatchers")
    if not isinstance(matchers, tuple):
        return matchers is MISSING
    return all(_matcher_redirects(each) for each in matchers)


def _matcher_redirects(matcher: object) -> bool:
    if not _is_redirect(matcher, "defaultUrlRedirect", "defaultService"):
        return False
    for name in ("pathRules", "routeRules"):
        rules = entries(matcher, name)
        known = rules if isinstance(rules, tuple) else ()
        if rules is UNKNOWN or not all(_is_redirect(e, "urlRedirect", "service") for e in known):
            return False
    return True


def _is_redirect(value: object, redirect: str, service: str) -> bool:
    return flag(value, redirect, "httpsRedirect") is True and get(value, service) in (MISSING, "")


def _plain_http(proxy: Resource, url_maps: Mapping[str, Sequence[Resource]]) -> bool:
    found = [each for name in _called(proxy, "urlMap") for each in url_maps.get(name, ())]
    return not found or not all(_redirects(each) for each in found)


def _is_hollow(policy: Resource, most: float) -> bool:
    """Return whether none of its rules refuses or slows anything down: previews, what never
    matches, and what comes after a rule that lets everyone in."""
    rules = entries(policy.props, "rules")
    if rules is UNKNOWN or get(policy.props, *_ADAPTIVE) not in (MISSING, False):
        return False
    for rule in sorted(rules if isinstance(rules, tuple) else (), key=_priority):
        if rule is UNKNOWN or _acts(rule, most):
            return False
        if text(rule, "action") == "allow" and _in_force(rule) and _matches_all(rule):
            return True
    return True


def _priority(rule: object) -> float:
    found = number(rule, "priority")
    return found if isinstance(found, float) else 0.0


def _in_force(rule: object) -> bool:
    return flag(rule, "preview") in (MISSING, False, UNKNOWN)


def _matches_all(rule: object) -> bool:
    ranges = elements(rule, "match", "config", "srcIpRanges")
    expression = text(rule, "match", "expr", "expression")
    return "*" in ranges or is_everywhere(ranges) or expression == "true"


def _acts(rule: object, most: float) -> bool:
    """Return whether a rule refuses something or slows it down."""
    return (
        _in_force(rule)
        and text(rule, "action") not in ("allow", MISSING)
        and text(rule, "match", "expr", "expression") != "false"
        and text(rule, "rateLimitOptions", "exceedAction") != "allow"
        and not _never_exceeded(rule, most)
    )


def _never_exceeded(rule: object, most: float) -> bool:
    """Return whether a rule of a rate allows more than anybody sends."""
    rate = ("rateLimitOptions", "rateLimitThreshold")
    count, seconds = number(rule, *rate, "count"), number(rule, *rate, "intervalSec")
    if not isinstance(count, float) or not isinstance(seconds, float) or not seconds:
        return False
    return count / seconds > most


def _hollow(resources: Sequence[Resource], most: float) -> frozenset[str]:
    """Return the names of policies that stop nothing, with rules of their own resources counted."""
    ruled = {
        name
        for each in resources
        if each.type in _ARMOR_RULES and _acts(each.props, most)
        for name in _called(each, "securityPolicy")
    }
    found: set[str] = set()
    for each in resources:
        if each.type in _ARMOR and _is_hollow(each, most):
            names = referenced_names(each, "name") | {each.urn, each.name}
            found |= set() if names & {name.rpartition("/")[2] for name in ruled} else names
    return frozenset(found)


def _backend(backend: Resource, hollow: Set[str]) -> Iterator[str]:
    protection, by_default = _BACKENDS[backend.type]
    scheme = text(backend.props, "loadBalancingScheme")
    if not _is_external(scheme, by_default=by_default):
        return
    if get(backend.props, protection) in (MISSING, ""):
        yield f"is external and has no {protection}"
    elif {name.rpartition("/")[2] for name in _called(backend, protection)} & hollow:
        yield f"is external, and its {protection} stops nothing"


def _alone(resource: Resource) -> Iterator[str]:
    """Yield what a resource tells without the others."""
    props = resource.props
    if resource.type in _POLICIES:
        yield from _policy(resource)
    elif resource.type in _TLS and get(props, "sslPolicy") in (MISSING, ""):
        yield "has no sslPolicy, so it takes old TLS"
    elif resource.type == _CDN and get(props, "edgeSecurityPolicy") in (MISSING, ""):
        yield "is external and has no edgeSecurityPolicy"
    elif resource.type in _TCP:
        yield "passes on whatever arrives, past TLS and Cloud Armor"
    elif resource.type == _INSTANCE:
        yield "leads to a machine past every proxy"


def _check(resources: Sequence[Resource], limits: Limits) -> Iterator[StackFinding]:
    most = limits.number("maxPerSecond")
    url_maps: dict[str, list[Resource]] = {}
    for each in resources:
        if each.type in _URL_MAPS:
            for name in _own_names(each):
                url_maps.setdefault(name, []).append(each)
    hollow = {name.rpartition("/")[2] for name in _hollow(resources, most)}
    yield from (
        StackFinding("stops nothing", each)
        for each in resources
        if each.type in _ARMOR and (referenced_names(each, "name") | {each.urn, each.name}) & hollow
    )
    targets = _targets(resources)
    for each in resources:
        if each.type in _RULES and _leads_elsewhere(each, targets):
            yield StackFinding("leads from the internet to what is not in the stack", each)
        elif each.type in _HTTP and _plain_http(each, url_maps):
            yield StackFinding("takes plain HTTP and does not only redirect it", each)
        elif each.type in _BACKENDS:
            yield from (StackFinding(finding, each) for finding in _backend(each, hollow))
        else:
            yield from (StackFinding(finding, each) for finding in _alone(each))


RULE: Final = StackRule(
    id="net-lb-tls-armor",
    display_name="Load balancers use TLS and Cloud Armor",
    description=(
        "SSL policies start at TLS 1.2 with a modern profile and every HTTPS proxy has one, plain "
        "HTTP is redirected only, no target is a single machine or passes TCP on, external "
        "backends have a security policy, and external rules lead to what the stack has."
    ),
    why=(
        "Plain HTTP and old TLS can be read by others, and without Cloud Armor nothing stops "
        "floods and known attacks."
    ),
    remediation=(
        "set minTlsVersion to TLS_1_2 or later and profile to MODERN, sslPolicy on the proxy, "
        "httpsRedirect and no service in the URL map of an HTTP proxy, and securityPolicy on the "
        "backend service."
    ),
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/load-balancing/docs/ssl-policies-concepts",
    references=(
        Reference("CIS Google Cloud", "3.9"),
        Reference("checkov", "CKV_GCP_4"),
        Reference("checkov", "CKV2_GCP_37"),
        Reference("checkov", "CKV2_GCP_38"),
        Reference("trivy", "GCP-0039"),
    ),
    limits=(
        NumberLimit(
            "maxPerSecond",
            "Most requests in a second that count as a limit of Cloud Armor",
            default=20_000,
        ),
    ),
    check=_check,
)

"""Gateways take TLS alone, from HTTP routes of their own namespaces."""

from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import StackFinding, StackRule
from resources.kubernetes import is_patch, kind_of, objects
from resources.properties import MISSING, UNKNOWN, elements, entries, get, text
from resources.resource import Resource
from resources.selectors import may_select

_GATEWAY: Final = "gateway.networking.k8s.io/Gateway"
_POLICY: Final = "networking.gke.io/GCPGatewayPolicy"
# What ends TLS at the Gateway, where the guardrails can read.
_ENDS_TLS: Final = ("HTTPS", UNKNOWN)
# What is passed on unread, so that no guardrail sees it.
_UNREAD: Final = tuple(
    f"gateway.networking.k8s.io/{kind}" for kind in ("TCPRoute", "TLSRoute", "UDPRoute")
)
# A certificate map of Certificate Manager stands in for the listeners' own certificates:
# https://cloud.google.com/kubernetes-engine/docs/how-to/secure-gateway
_MAP: Final = "networking.gke.io/certmap"
_NONE: Final = (MISSING, "")
_GRANT: Final = "gateway.networking.k8s.io/ReferenceGrant"


def _listeners(gateway: object) -> Iterator[str]:
    found = entries(gateway, "spec", "listeners")
    by_map = text(gateway, "metadata", "annotations", _MAP)
    for index, each in enumerate(found if isinstance(found, tuple) else ()):
        protocol = text(each, "protocol")
        if each is not UNKNOWN and protocol not in _ENDS_TLS:
            yield f"listeners[{index}] takes plain text or passes TLS through"
        elif protocol == "HTTPS" and get(each, "tls") in (MISSING, {}) and by_map in _NONE:
            yield f"listeners[{index}] has no certificate"
        elif text(each, "tls", "mode") == "Passthrough":
            yield f"listeners[{index}] passes TLS through"
        taken = get(each, "allowedRoutes", "namespaces")
        everywhere = text(taken, "from") == "Selector" and may_select(get(taken, "selector"), {})
        if text(taken, "from") == "All" or (everywhere and taken is not UNKNOWN):
            yield f"listeners[{index}] takes routes of every namespace"


def _lends(source: object, grant: object) -> bool:
    namespace = text(source, "namespace")
    return isinstance(namespace, str) and namespace != text(grant, "metadata", "namespace")


def _beside(resource: Resource) -> Iterator[str]:
    """Yield what leads past the listeners, or lets routes of others use them."""
    if kind_of(resource.type) in _UNREAD:
        yield "passes on what no guardrail reads"
    elif kind_of(resource.type) == _GRANT:
        for grant in objects(resource.type, resource.props):
            if any(_lends(source, grant) for source in elements(grant, "spec", "from")):
                yield "lends its objects to routes of another namespace"


def _names(resource: Resource, value: object, *path: str) -> frozenset[object]:
    found = text(value, *path)
    if not isinstance(found, str):
        return frozenset(resource.dependencies.get(path[0], ()))
    return frozenset({(resource.provider, text(value, "metadata", "namespace"), found)})


def _check(resources: Sequence[Resource], _limits: Limits) -> Iterator[StackFinding]:
    protected: set[object] = set()
    for each in resources:
        if kind_of(each.type) == _POLICY:
            for policy in objects(each.type, each.props):
                if text(policy, "spec", "default", "sslPolicy") not in (MISSING, ""):
                    protected |= _names(each, policy, "spec", "targetRef", "name")
    for each in resources:
        yield from (StackFinding(finding, each) for finding in _beside(each))
        if kind_of(each.type) != _GATEWAY:
            continue
        for gateway in objects(each.type, each.props):
            yield from (StackFinding(finding, each) for finding in _listeners(gateway))
            named = _names(each, gateway, "metadata", "name") | {each.urn}
            if not is_patch(each.type) and gateway is not UNKNOWN and not named & protected:
                yield StackFinding("has no GCPGatewayPolicy with an sslPolicy", each)


RULE: Final = StackRule(
    id="net-gateway-tls",
    display_name="Gateways take TLS alone",
    description=(
        "Every listener of a Gateway ends TLS with a certificate and takes HTTP routes of named "
        "namespaces, none lends its objects, and a policy gives the Gateway an SSL policy."
    ),
    why=(
        "Prompts and answers in clear can be read on the way, old TLS be broken, and a route of "
        "another namespace take them."
    ),
    remediation=(
        "set protocol HTTPS with tls.mode Terminate, allowedRoutes.namespaces.from Same, and "
        "default.sslPolicy in a GCPGatewayPolicy."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/kubernetes-engine/docs/how-to/configure-gateway-resources",
    check=_check,
)

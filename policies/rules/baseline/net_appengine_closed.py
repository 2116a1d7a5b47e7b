"""App Engine is open to nobody at large."""

from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import StackFinding, StackRule
from resources.addresses import is_everywhere
from resources.properties import UNKNOWN, flag, text
from resources.resource import Resource, stack_of
from resources.wiring import referenced_names

_G: Final = "gcp:appengine/"
_VERSIONS: Final = (
    f"{_G}flexibleAppVersion:FlexibleAppVersion",
    f"{_G}standardAppVersion:StandardAppVersion",
)
_FIREWALL: Final = f"{_G}firewallRule:FirewallRule"
_SETTINGS: Final = f"{_G}serviceNetworkSettings:ServiceNetworkSettings"
_APPLICATION: Final = f"{_G}application:Application"
_INTERNAL: Final = (
    "INGRESS_TRAFFIC_ALLOWED_INTERNAL_ONLY",
    "INGRESS_TRAFFIC_ALLOWED_INTERNAL_AND_LB",
)


def _check(resources: Sequence[Resource], _limits: Limits) -> Iterator[StackFinding]:
    stack = stack_of(resources)
    internal: set[str] = set()
    for each in stack.by_type.get(_SETTINGS, ()):
        if text(each.props, "networkSettings", "ingressTrafficAllowed") in (*_INTERNAL, UNKNOWN):
            internal |= referenced_names(each, "service")
        else:
            yield StackFinding("takes requests from everywhere", each)
    iap = any(
        flag(each.props, "iap", "enabled") in (True, UNKNOWN)
        for each in stack.by_type.get(_APPLICATION, ())
    )
    for token in _VERSIONS:
        for each in stack.by_type.get(token, ()):
            if not iap and not referenced_names(each, "service") & internal:
                yield StackFinding("is open to everyone at appspot.com", each)
    for each in stack.by_type.get(_FIREWALL, ()):
        ranges = text(each.props, "sourceRange")
        everywhere = ranges == "*" or is_everywhere((ranges,))
        if text(each.props, "action") in ("ALLOW", UNKNOWN) and everywhere:
            yield StackFinding("allows every address", each)


RULE: Final = StackRule(
    id="net-appengine-closed",
    display_name="App Engine is closed",
    description=(
        "Versions of App Engine are behind IAP or take internal traffic only, and its firewall "
        "allows named addresses."
    ),
    why=(
        "An App Engine version is on the internet as soon as it is made, past the gateway and "
        "its guardrails."
    ),
    remediation=(
        "set ingressTrafficAllowed in ServiceNetworkSettings or IAP on the application, and name "
        "addresses in firewall rules."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/appengine/docs/standard/configure-ingress-settings",
    check=_check,
)

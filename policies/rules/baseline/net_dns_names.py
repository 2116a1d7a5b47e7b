"""Google's names lead to Google, and private names stay private."""

import ipaddress
from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NamesLimit
from policies.shared.rule import StackFinding, StackRule
from resources.addresses import is_public
from resources.properties import MISSING, UNKNOWN, all_at, elements, entries, flag, get, text
from resources.resource import Resource, Stack, stack_of
from resources.wiring import referenced_names

_ZONE: Final = "gcp:dns/managedZone:ManagedZone"
_RECORD: Final = "gcp:dns/recordSet:RecordSet"
_RULE: Final = "gcp:dns/responsePolicyRule:ResponsePolicyRule"
_SERVERS: Final = "gcp:dns/policy:Policy"
_GOOGLE: Final = (
    *("googleapis.com.", "gcr.io.", "pkg.dev.", "run.app.", "cloudfunctions.net.", "gke.goog."),
    *("notebooks.cloud.google.com.", "accounts.google.com.", "cloudproxy.app.", "goog."),
    # Where machines ask who they are.
    "google.internal.",
)
_UNGUARDED: Final = "private.googleapis.com."
_RESTRICTED: Final = tuple(
    map(ipaddress.ip_network, ("199.36.153.4/30", "34.126.0.0/18", "2600:2d00:2:1000::/64"))
)
# Where programs get code, packages, images and models, without a mirror between.
_FETCHED: Final = (
    *("huggingface.co.", "hf.co.", "github.com.", "githubusercontent.com.", "gitlab.com."),
    *("pypi.org.", "pythonhosted.org.", "npmjs.org.", "docker.io.", "ghcr.io.", "quay.io."),
    *("registry.k8s.io.", "nvcr.io.", "debian.org.", "ubuntu.com."),
)
# Names that nobody outside resolves.
_PRIVATE: Final = (".internal.", ".local.", ".corp.", ".lan.", ".home.", ".intranet.", ".private.")


# Records whose last word is the name of another host.
_ALIASES: Final = ("CNAME", "DNAME", "MX", "NS", "SRV")
_ROUTED: Final = (
    *("routingPolicy.geos.*.rrdatas.*", "routingPolicy.wrrs.*.rrdatas.*"),
    "routingPolicy.primaryBackup.backupGeos.*.rrdatas.*",
)


def _within(name: str, zones: Sequence[str]) -> bool:
    return any(name == zone or name.endswith(f".{zone}") for zone in zones)


def _is_restricted(value: object) -> bool:
    try:
        address = ipaddress.ip_address(str(value))
    except ValueError:
        # The other addresses of Private Google Access let past the perimeter.
        return isinstance(value, str) and value != _UNGUARDED and _within(value, _GOOGLE)
    return any(address in each for each in _RESTRICTED)


def _is_google(name: str) -> bool:
    """Return whether a name is Google's, or a wildcard that takes in names of Google's."""
    wide = name.lower().removeprefix("*")
    return _within(name.lower(), _GOOGLE) or (
        name.startswith("*") and any(f".{zone}".endswith(wide) for zone in _GOOGLE)
    )


def _leads_elsewhere(name: object, values: tuple[object, ...]) -> bool:
    return (
        isinstance(name, str)
        and _is_google(name)
        and not all(each is UNKNOWN or _is_restricted(each) for each in values)
    )


def _is_private_address(value: object) -> bool:
    try:
        return ipaddress.ip_address(str(value)).is_private
    except ValueError:
        return False


def _is_public_address(value: object) -> bool:
    try:
        return ipaddress.ip_address(str(value)).is_global
    except ValueError:
        return False


def _leads_to(record: object, values: Sequence[object]) -> Iterator[str]:
    """Yield the names that a record leads to."""
    if text(record, "type") in _ALIASES:
        yield from (f"{each.split()[-1].rstrip('.')}." for each in values if isinstance(each, str))


def _is_outside(value: object) -> bool:
    """Return whether a value is an address of the internet, other than the restricted ones."""
    return is_public(value) and not _is_restricted(value)


def _check(resources: Sequence[Resource], limits: Limits) -> Iterator[StackFinding]:
    stack = stack_of(resources)
    zones = stack.by_type.get(_ZONE, ())
    names = [str(text(each.props, "dnsName")) for each in zones]
    private = [str(text(each.props, "dnsName")) for each in zones if not _is_public(each)]
    public: set[str] = set()
    inside: set[str] = set()
    for each in zones:
        name = text(each.props, "dnsName")
        (public if _is_public(each) else inside).update(referenced_names(each, "name") | {each.urn})
        if _is_public(each):
            if isinstance(name, str) and (name.endswith(_PRIVATE) or _within(name, private)):
                yield StackFinding("is public, and its names are private", each)
        elif isinstance(name, str) and _within(name.lower(), _FETCHED):
            yield StackFinding("answers for a name that code and models are fetched from", each)
        if isinstance(name, str) and _within(name.lower(), _GOOGLE) and _is_answered(each):
            yield StackFinding("has Google's names answered by somebody else", each)
        servers = elements(each.props, "forwardingConfig", "targetNameServers")
        if any(_is_public_address(text(server, "ipv4Address")) for server in servers):
            yield StackFinding("has its names answered by a server on the internet", each)
    for each in stack.by_type.get(_RECORD, ()):
        values = (*elements(each.props, "rrdatas"), *_routed(each.props))
        if _leads_elsewhere(text(each.props, "name"), values):
            yield StackFinding(
                "leads a name of Google elsewhere than to its restricted addresses", each
            )
        zone = referenced_names(each, "managedZone")
        own = str(text(each.props, "name"))
        within = bool(zone & inside) or own.endswith(_PRIVATE)
        known = (*names, *_GOOGLE, *limits.names("aliases"))
        if within and any(not _within(name, known) for name in _leads_to(each.props, values)):
            yield StackFinding("leads a private name to a host that the stack does not have", each)
        if within and any(map(_is_outside, values)):
            yield StackFinding("leads a private name to an address on the internet", each)
        if zone & public and any(map(_is_private_address, values)):
            yield StackFinding("tells a private address in a public zone", each)
    yield from _answered(stack, limits.names("inboundPolicies"))


def _routed(record: object) -> tuple[object, ...]:
    """Return the values that a routing policy of a record chooses from."""
    return tuple(value for path in _ROUTED for value in all_at(record, path.split(".")))


def _answered(stack: Stack, asked: Sequence[str]) -> Iterator[StackFinding]:
    """Yield response policies and servers that answer in the stead of Google's or of the zones."""
    for each in stack.by_type.get(_RULE, ()):
        name = text(each.props, "dnsName")
        passes = text(each.props, "behavior") == "bypassResponsePolicy"
        if passes and isinstance(name, str) and _is_google(name):
            yield StackFinding("lets names of Google be answered past the restricted ones", each)
        for local in elements(each.props, "localData", "localDatas"):
            if _leads_elsewhere(text(each.props, "dnsName"), elements(local, "rrdatas")):
                yield StackFinding(
                    "leads a name of Google elsewhere than to its restricted addresses", each
                )
    for each in stack.by_type.get(_SERVERS, ()):
        servers = entries(each.props, "alternativeNameServerConfig", "targetNameServers")
        if servers not in (MISSING, (), UNKNOWN):
            yield StackFinding("has every name answered by other servers", each)
        inbound = flag(each.props, "enableInboundForwarding") is True
        if inbound and text(each.props, "name") not in asked:
            yield StackFinding("answers the network's private names to whoever is connected", each)


def _is_answered(zone: Resource) -> bool:
    return any(
        get(zone.props, name) not in (MISSING, {})
        for name in ("forwardingConfig", "peeringConfig", "serviceDirectoryConfig")
    )


def _is_public(zone: Resource) -> bool:
    return text(zone.props, "visibility") in (MISSING, "public")


RULE: Final = StackRule(
    id="net-dns-names",
    display_name="Names lead where they should",
    description=(
        "Names of Google lead to its restricted addresses, private names and addresses are in no "
        "public zone, and no other server answers for them or asks for them from outside."
    ),
    why="Whoever answers for a name gets what is sent to it.",
    remediation="point the record to 199.36.153.4/30 or remove it, and make the zone private.",
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/vpc-service-controls/docs/set-up-private-connectivity",
    limits=(
        NamesLimit(
            "aliases",
            "Domains beyond the stack's zones that private names may lead to, each with a dot at "
            "its end",
            default=(),
        ),
        NamesLimit(
            "inboundPolicies",
            "Names of DNS policies that networks that are connected may ask",
            default=(),
        ),
    ),
    check=_check,
)

"""The network leads to the environment's own networks and to Google's restricted addresses."""

import ipaddress
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NamesLimit
from policies.shared.projects import own_projects, project_of
from policies.shared.rule import StackFinding, StackRule
from policies.shared.types import FIREWALL_POLICY_RULES
from resources.addresses import is_everywhere
from resources.properties import MISSING, UNKNOWN, all_at, elements, entries, flag, get, text
from resources.resource import Resource, Stack, stack_of

_ROUTE: Final = "gcp:compute/route:Route"
_FIREWALL: Final = "gcp:compute/firewall:Firewall"
_OF_RUN: Final = tuple(
    f"vpcAccess.networkInterfaces.*.{each}" for each in ("network", "subnetwork")
)
_OF_MACHINE: Final = tuple(f"networkInterfaces.*.{each}" for each in ("network", "subnetwork"))
# Networks and projects that are joined: the properties that name the other one.
_JOINED: Final[Mapping[str, tuple[str, ...]]] = {
    "gcp:alloydb/cluster:Cluster": ("networkConfig.network",),
    "gcp:cloudrunv2/job:Job": tuple(f"template.template.{each}" for each in _OF_RUN),
    "gcp:cloudrunv2/service:Service": tuple(f"template.{each}" for each in _OF_RUN),
    "gcp:cloudrunv2/workerPool:WorkerPool": tuple(f"template.{each}" for each in _OF_RUN),
    "gcp:compute/instance:Instance": _OF_MACHINE,
    "gcp:compute/instanceTemplate:InstanceTemplate": _OF_MACHINE,
    "gcp:compute/networkPeering:NetworkPeering": ("peerNetwork",),
    "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate": _OF_MACHINE,
    "gcp:compute/route:Route": ("nextHopIlb", "nextHopInstance", "nextHopVpnTunnel"),
    "gcp:compute/sharedVPCServiceProject:SharedVPCServiceProject": ("serviceProject",),
    "gcp:container/cluster:Cluster": ("network", "subnetwork"),
    "gcp:container/nodePool:NodePool": (
        *("networkConfig.additionalNodeNetworkConfigs.*.network", "networkConfig.subnetwork"),
    ),
    "gcp:dns/managedZone:ManagedZone": (
        "peeringConfig.targetNetwork.networkUrl",
        "privateVisibilityConfig.networks.*.networkUrl",
        "serviceDirectoryConfig.namespace.namespaceUrl",
    ),
    "gcp:filestore/instance:Instance": ("networks.*.network",),
    "gcp:gkehub/membership:Membership": ("endpoint.gkeCluster.resourceLink",),
    "gcp:memorystore/instance:Instance": (
        *("desiredAutoCreatedEndpoints.*.network", "desiredAutoCreatedEndpoints.*.projectId"),
    ),
    "gcp:networkconnectivity/group:Group": ("autoAccept.autoAcceptProjects.*",),
    "gcp:networkconnectivity/serviceConnectionPolicy:ServiceConnectionPolicy": ("network",),
    "gcp:networkconnectivity/spoke:Spoke": ("hub", "linkedVpcNetwork.uri"),
    "gcp:redis/cluster:Cluster": ("pscConfigs.*.network",),
    "gcp:redis/instance:Instance": ("authorizedNetwork",),
    "gcp:servicenetworking/connection:Connection": ("network",),
    "gcp:sql/databaseInstance:DatabaseInstance": ("settings.ipConfiguration.privateNetwork",),
    "gcp:workbench/instance:Instance": ("gceSetup.networkInterfaces.*.network",),
}
# Properties that hold a project alone.
_PROJECTS: Final = ("autoAcceptProjects.*", "projectId", "serviceProject")
_POLICY_ROUTE: Final = "gcp:networkconnectivity/policyBasedRoute:PolicyBasedRoute"
# Lines to networks outside Google Cloud.
_LINES: Final[Mapping[str, tuple[str, ...]]] = {
    "gcp:compute/interconnectAttachment:InterconnectAttachment": ("interconnect",),
    "gcp:compute/vPNTunnel:VPNTunnel": ("peerIp", "peerExternalGateway", "peerGcpGateway"),
}
# What routers tell their peers that they lead to.
_ADVERTISED: Final[Mapping[str, tuple[str, ...]]] = {
    "gcp:compute/router:Router": ("bgp", "advertisedIpRanges"),
    "gcp:compute/routerPeer:RouterPeer": ("advertisedIpRanges",),
}
_SPOKE: Final = "gcp:networkconnectivity/spoke:Spoke"
# The same as spokes of a hub: machines, lines and tunnels that it takes routes from.
_LINKS: Final = (
    "linkedInterconnectAttachments",
    "linkedRouterApplianceInstances",
    "linkedVpnTunnels",
)
_NAT: Final = "gcp:compute/routerNat:RouterNat"
_LISTED: Final = "LIST_OF_SUBNETWORKS"
_BUNDLES: Final = "gcp:compute/globalForwardingRule:GlobalForwardingRule"
# The bundle of Private Service Connect that has the APIs no perimeter restricts as well.
_ALL_APIS: Final = "all-apis"
_WEB_PROXY: Final = "SECURE_WEB_GATEWAY"
# https://cloud.google.com/vpc/docs/configure-private-google-access#config-options
_RESTRICTED: Final = tuple(map(ipaddress.ip_network, ("199.36.153.4/30", "34.126.0.0/18")))
_AWAY: Final = "leads the internet's or Google's addresses to a machine of its own"
_GOOGLE: Final = (*_RESTRICTED, ipaddress.ip_network("199.36.153.8/30"))


def _leads_away(ranges: object) -> bool:
    """Return whether a range has the internet's or some of Google's addresses."""
    try:
        target = ipaddress.ip_network(str(ranges), strict=False)
    except ValueError:
        return False
    return is_everywhere((ranges,)) or any(
        each.version == target.version and each.overlaps(target) for each in _GOOGLE
    )


def _route(route: object) -> Iterator[str]:
    ranges = text(route, "destRange")
    try:
        target = ipaddress.ip_network(str(ranges), strict=False)
    except ValueError:
        return
    if get(route, "nextHopGateway") not in (MISSING, UNKNOWN):
        if target not in _RESTRICTED:
            yield "leads to the internet gateway, and not to Google's restricted addresses alone"
    elif get(route, "nextHopGateway") is MISSING and _leads_away(ranges):
        yield _AWAY


def _egress(rule: object, *, firewall: bool) -> Iterator[str]:
    if text(rule, "direction") != "EGRESS" or flag(rule, "disabled") is True:
        return
    if firewall:
        allows = entries(rule, "allows") not in (MISSING, ())
        ranges = entries(rule, "destinationRanges")
    else:
        allows = text(rule, "action") == "allow"
        ranges = entries(rule, "match", "destIpRanges")
        names = ("destFqdns", "destAddressGroups", "destThreatIntelligences")
        if any(entries(rule, "match", name) not in (MISSING, ()) for name in names):
            return
    everywhere = ranges in (MISSING, ()) or (isinstance(ranges, tuple) and is_everywhere(ranges))
    if allows and everywhere:
        yield "allows egress to every address"


def _nat(props: object) -> Iterator[str]:
    if text(props, "sourceSubnetworkIpRangesToNat") not in (_LISTED, UNKNOWN):
        yield "takes whatever subnet there is to the internet"


def _bundle(props: object) -> Iterator[str]:
    if text(props, "target") == _ALL_APIS:
        yield "leads to APIs that the perimeter does not restrict"


def _spoke(props: object) -> Iterator[str]:
    if any(get(props, name) not in (MISSING, UNKNOWN) for name in _LINKS):
        yield "joins a line or a machine that leads to other networks"


def _web_proxy(props: object) -> Iterator[str]:
    if text(props, "type") == _WEB_PROXY and get(props, "gatewaySecurityPolicy") in (MISSING, ""):
        yield "is a web proxy without a policy that says where it leads"


def _tunnel(props: object) -> Iterator[str]:
    ranges = entries(props, "cidrs")
    if isinstance(ranges, tuple) and is_everywhere(ranges):
        yield "lets tunnels lead to every address"


def _policy_route(props: object) -> Iterator[str]:
    if get(props, "nextHopOtherRoutes") not in (MISSING, ""):
        yield "takes its addresses past the other routes by policy"
        return
    ranges = text(props, "filter", "destRange")
    # Left out, it is every address.
    if ranges is MISSING or _leads_away(ranges):
        yield _AWAY


_ALONE: Final[Mapping[str, Callable[[object], Iterator[str]]]] = {
    "gcp:iap/tunnelDestGroup:TunnelDestGroup": _tunnel,
    "gcp:networkservices/gateway:Gateway": _web_proxy,
    _BUNDLES: _bundle,
    _NAT: _nat,
    _POLICY_ROUTE: _policy_route,
    _ROUTE: _route,
    _SPOKE: _spoke,
}


def _other(props: object, path: str) -> set[str]:
    """Return the projects that a property names, of networks or alone."""
    found = [each for each in all_at(props, path.split(".")) if isinstance(each, str)]
    if path.endswith(_PROJECTS):
        return {each.removeprefix("projects/") for each in found}
    return {project for project in map(project_of, found) if project is not None}


def _joined(stack: Stack, own: frozenset[str]) -> Iterator[StackFinding]:
    for token, paths in _JOINED.items():
        for each in stack.by_type.get(token, ()):
            if any(not _other(each.props, path) <= own for path in paths):
                yield StackFinding(
                    "joins a network or project that the environment does not name", each
                )


def _check(resources: Sequence[Resource], limits: Limits) -> Iterator[StackFinding]:
    stack = stack_of(resources)
    own = own_projects(stack, limits.names("projects"))
    for token in (_FIREWALL, *FIREWALL_POLICY_RULES):
        for each in stack.by_type.get(token, ()):
            for finding in _egress(each.props, firewall=token == _FIREWALL):
                yield StackFinding(finding, each)
    for token, problem in _ALONE.items():
        for each in stack.by_type.get(token, ()):
            yield from (StackFinding(finding, each) for finding in problem(each.props))
    for token, path in _ADVERTISED.items():
        for each in stack.by_type.get(token, ()):
            ranges = tuple(text(found, "range") for found in elements(each.props, *path))
            if is_everywhere(ranges):
                yield StackFinding("draws the internet's addresses of its peers to itself", each)
    yield from _joined(stack, own) if own else ()
    for token, names in _LINES.items():
        for each in stack.by_type.get(token, ()):
            peers = (text(each.props, name) for name in names)
            if not any(peer in limits.names("peers") or peer is UNKNOWN for peer in peers):
                yield StackFinding("leads to a peer that the environment does not name", each)


RULE: Final = StackRule(
    id="net-ways-out",
    display_name="The network leads where the environment says",
    description=(
        "Routes and egress rules lead to Google's restricted addresses, not to all; peerings, "
        "spokes and tunnels to networks that the environment names."
    ),
    why="A route, a peering or a tunnel takes data past the perimeter, its DNS and its logs.",
    remediation=(
        "narrow the route or the firewall, or name the project or peer in the rule's limits."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/vpc-service-controls/docs/private-connectivity",
    limits=(
        NamesLimit(
            "projects",
            "Projects whose networks may be joined; where none is named, the stack's",
            default=(),
        ),
        NamesLimit("peers", "Addresses or gateways that tunnels may lead to", default=()),
    ),
    check=_check,
)

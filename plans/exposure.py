"""What a deployment lets in from outside, in words."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from resources.properties import (
    MISSING,
    UNKNOWN,
    elements,
    entries,
    flag,
    get,
    is_mapping,
    show,
    text,
)
from resources.resource import Resource, Stack

_EVERYWHERE: Final = frozenset({"0.0.0.0/0", "::/0"})
_PLAIN: Final = re.compile(
    r"[0-9a-f.:]{2,39}/[0-9]{1,3}|(projects/)?[a-z0-9:.-]{4,63}(/global/networks/[a-z0-9-]{1,63})?"
    r"|ANY_[A-Z_]+|[a-z]+\.googleapis\.com|accessPolicies/\d+/accessLevels/\w{1,50}"
)
_EXTERNAL: Final = re.compile("EXTERNAL.*")


def exposures(stack: Stack) -> frozenset[str]:
    """Return a sentence for everything that others can reach."""
    return frozenset(
        f"{each.name}: {words}"
        for token, find in _FINDERS.items()
        for each in stack.by_type.get(token, ())
        for words in find(each)
    )


def changed(before: Stack, after: Stack) -> tuple[list[str], list[str]]:
    """Return what is reachable anew, and what no longer is."""
    then, now = exposures(before), exposures(after)
    return sorted(now - then), sorted(then - now)


def _word(value: object) -> str:
    """Return a value of a closed vocabulary; any other text may be a secret."""
    if value is UNKNOWN:
        return "what isn't known yet"
    return value if isinstance(value, str) and _PLAIN.fullmatch(value) else show(value)


def _load_balancer(rule: Resource) -> Iterator[str]:
    scheme = text(rule.props, "loadBalancingScheme")
    # Without a scheme the provider makes it external; an endpoint has an empty one.
    if scheme is MISSING or (isinstance(scheme, str) and _EXTERNAL.fullmatch(scheme)):
        yield "takes requests from the internet"


def _firewall(rule: Resource) -> Iterator[str]:
    if text(rule.props, "direction") == "EGRESS" or not elements(rule.props, "allows"):
        return
    open_to = _EVERYWHERE & {*map(str, elements(rule.props, "sourceRanges"))}
    if open_to:
        yield f"lets traffic of any address in ({', '.join(sorted(open_to))})"
    elif UNKNOWN in (
        entries(rule.props, "sourceRanges"),
        *elements(rule.props, "sourceRanges"),
    ):
        yield "lets traffic in from ranges that aren't known yet"


def _attachment(attachment: Resource) -> Iterator[str]:
    if text(attachment.props, "connectionPreference") == "ACCEPT_AUTOMATIC":
        yield "takes Private Service Connect endpoints of everyone"
    for each in elements(attachment.props, "consumerAcceptLists"):
        who = next(
            (get(each, key) for key in ("projectIdOrNum", "networkUrl") if text(each, key)), UNKNOWN
        )
        limit = get(each, "connectionLimit")
        yield f"takes up to {show(limit)} Private Service Connect endpoints of {_word(who)}"


def _cloud_run(service: Resource) -> Iterator[str]:
    ingress = text(service.props, "ingress")
    if ingress not in ("INGRESS_TRAFFIC_INTERNAL_ONLY", "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"):
        yield "takes requests from the internet"
    if flag(service.props, "invokerIamDisabled") is True:
        yield "asks no caller who it is"


def _cluster(cluster: Resource) -> Iterator[str]:
    for each in elements(cluster.props, "masterAuthorizedNetworksConfig", "cidrBlocks"):
        yield f"its control plane answers {_word(get(each, 'cidrBlock'))}"
    endpoints = get(cluster.props, "controlPlaneEndpointsConfig")
    if flag(endpoints, "dnsEndpointConfig", "allowExternalTraffic") is True:
        yield "its control plane answers callers with rights anywhere, by its DNS name"
    private = flag(cluster.props, "privateClusterConfig", "enablePrivateEndpoint")
    by_address = flag(endpoints, "ipEndpointsConfig", "enabled")
    if private is not True and by_address is not False:
        yield "its control plane has a public address"


def _bucket(bucket: Resource) -> Iterator[str]:
    if text(bucket.props, "publicAccessPrevention") != "enforced":
        yield "could be made public by a grant"


def _perimeter(perimeter: Resource) -> Iterator[str]:
    for key in ("status", "spec"):
        side = get(perimeter.props, key)
        if not is_mapping(side):
            continue
        dry = " (dry run)" if key == "spec" else ""
        for policy in elements(side, "ingressPolicies"):
            yield f"lets {_who(get(policy, 'ingressFrom'))} in to {_what(policy)}{dry}"
        for policy in elements(side, "egressPolicies"):
            yield f"lets {_who(get(policy, 'egressFrom'))} out of it{dry}"


def _who(source: object) -> str:
    kinds = text(source, "identityType")
    named = elements(source, "identities")
    levels = [get(each, "accessLevel") for each in elements(source, "sources")]
    who = ", ".join(map(_word, named)) or (_word(kinds) if isinstance(kinds, str) else "callers")
    new = "an access level that isn't known yet"
    places = [new if each is UNKNOWN else _word(each) for each in levels]
    return f"{who} from {', '.join(places)}" if places else who


def _what(policy: object) -> str:
    operations = elements(policy, "ingressTo", "operations")
    names = [get(each, "serviceName") for each in operations]
    return ", ".join("every service" if each == "*" else _word(each) for each in names) or "it"


def _address(address: Resource) -> Iterator[str]:
    if text(address.props, "addressType") in ("EXTERNAL",):
        yield "is an address on the internet"


def _machine(machine: Resource) -> Iterator[str]:
    if any(
        elements(each, "accessConfigs") for each in elements(machine.props, "networkInterfaces")
    ):
        yield "has an address on the internet"


def _service(service: Resource) -> Iterator[str]:
    notes = get(service.props, "metadata", "annotations")
    internal = text(notes, "networking.gke.io/load-balancer-type") == "Internal"
    if text(service.props, "spec", "type") == "LoadBalancer" and not internal:
        yield "takes requests from the internet"


def _gateway(gateway: Resource) -> Iterator[str]:
    kind = text(gateway.props, "spec", "gatewayClassName")
    if isinstance(kind, str) and "external" in kind:
        yield "takes requests from the internet"


def _records(zone: Resource) -> Iterator[str]:
    if text(zone.props, "visibility") != "private":
        yield "its names are public"


_FINDERS: Final[Mapping[str, Callable[[Resource], Iterator[str]]]] = {
    "gcp:accesscontextmanager/servicePerimeter:ServicePerimeter": _perimeter,
    "gcp:cloudrunv2/service:Service": _cloud_run,
    "gcp:compute/address:Address": _address,
    "gcp:compute/firewall:Firewall": _firewall,
    "gcp:compute/forwardingRule:ForwardingRule": _load_balancer,
    "gcp:compute/globalForwardingRule:GlobalForwardingRule": _load_balancer,
    "gcp:compute/instance:Instance": _machine,
    "gcp:compute/serviceAttachment:ServiceAttachment": _attachment,
    "gcp:container/cluster:Cluster": _cluster,
    "gcp:dns/managedZone:ManagedZone": _records,
    "gcp:storage/bucket:Bucket": _bucket,
    "kubernetes:core/v1:Service": _service,
    "kubernetes:gateway.networking.k8s.io/v1:Gateway": _gateway,
}

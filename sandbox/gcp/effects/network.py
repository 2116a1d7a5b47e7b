"""Subnetworks, addresses and forwarding rules: ranges that may not overlap, addresses given out."""

import ipaddress
from collections.abc import Iterator

from sandbox.errors import google
from sandbox.gcp.naming import hex_digits, last_segment
from sandbox.gcp.request import Request
from sandbox.values import Values, as_list
from sandbox.world import EXISTING, CloudResource, World

SUBNETWORK = "gcp:compute/subnetwork:Subnetwork"
CONNECTION = "gcp:servicenetworking/connection:Connection"
NETWORK = "gcp:compute/network:Network"
ADDRESS = "gcp:compute/address:Address"
FORWARDING_RULE = "gcp:compute/forwardingRule:ForwardingRule"
GLOBAL_FORWARDING_RULE = "gcp:compute/globalForwardingRule:GlobalForwardingRule"
_PROXY_ONLY_MINIMUM = 26
_PROXIES = {
    FORWARDING_RULE: ("REGIONAL_MANAGED_PROXY", {"INTERNAL_MANAGED", "EXTERNAL_MANAGED"}),
    GLOBAL_FORWARDING_RULE: ("GLOBAL_MANAGED_PROXY", {"INTERNAL_MANAGED"}),
}
_RESERVED_AT_START = 2
_EPHEMERAL_START = 10
Range = ipaddress.IPv4Network


def check_subnetwork(request: Request) -> None:
    """Raise the cloud's 400 for a malformed range or one that overlaps another in the VPC."""
    own = [_parsed(text) for text in _ranges(request.inputs)]
    purpose = request.inputs.get("purpose")
    if purpose == "REGIONAL_MANAGED_PROXY" and own[0].prefixlen > _PROXY_ONLY_MINIMUM:
        raise _invalid(str(own[0]), "Proxy-only subnetworks must be /26 or larger")
    for index, mine in enumerate(own):
        if any(mine.overlaps(other) for other in own[:index]):
            raise _invalid(str(mine), "conflicts with another range of the same subnetwork")
    network = request.own_name(str(request.inputs["network"]))
    for other in request.world.by_type(SUBNETWORK):
        if other.id == request.id or last_segment(other.inputs["network"]) != last_segment(network):
            continue
        if other.project != request.project:
            continue
        for text in _ranges(other.inputs):
            for mine in own:
                if mine.overlaps(_parsed(text)):
                    region = other.outputs.get("region", "")
                    raise google(
                        400,
                        f"Invalid IPCidrRange: {mine} conflicts with existing subnetwork "
                        f"'{last_segment(other.id)}' in region '{region}'",
                        "invalid",
                    )


def _ranges(inputs: Values) -> Iterator[str]:
    if inputs.get("ipCidrRange"):
        yield inputs["ipCidrRange"]
    for secondary in as_list(inputs.get("secondaryIpRanges")):
        if secondary.get("ipCidrRange"):
            yield secondary["ipCidrRange"]


def _parsed(text: str) -> Range:
    try:
        return ipaddress.IPv4Network(text)
    except ValueError as error:
        raise _invalid(text, str(error)) from None


def _invalid(text: str, why: str) -> Exception:
    return google(
        400, f"Invalid value for field 'resource.ipCidrRange': '{text}'. {why}", "invalid"
    )


def subnetwork_outputs(request: Request) -> Values:
    """Return the gateway address, and the network as a self link."""
    outputs: Values = {}
    if request.inputs.get("ipCidrRange"):
        network = _parsed(request.inputs["ipCidrRange"])
        if request.inputs.get("purpose") not in {
            "REGIONAL_MANAGED_PROXY",
            "PRIVATE_SERVICE_CONNECT",
        }:
            outputs["gatewayAddress"] = str(network[1])
        else:
            outputs["gatewayAddress"] = ""
    return outputs


def address_outputs(request: Request) -> Values:
    """Return the address: the given one, or the next free one of its subnetwork."""
    if request.inputs.get("address"):
        return {"address": request.inputs["address"]}
    if request.old.get("address"):
        return {"address": request.old["address"]}
    if request.inputs.get("addressType") != "INTERNAL":
        return {"address": _public(request.id), "addressType": "EXTERNAL"}
    return {"address": free_address(request, request.inputs.get("subnetwork")), "networkTier": ""}


def check_address(request: Request) -> None:
    """Raise the cloud's 400/409 for an address outside its subnetwork or already taken."""
    wanted = request.inputs.get("address")
    if not wanted or request.old:
        return
    subnetwork = _subnetwork(request, request.inputs.get("subnetwork"))
    if subnetwork is not None:
        network = _parsed(subnetwork.inputs["ipCidrRange"])
        if ipaddress.IPv4Address(wanted) not in network:
            raise google(
                400,
                f"Invalid value for field 'resource.address': '{wanted}'. Requested address must "
                f"be in the range {network} of the subnetwork",
                "invalid",
            )
        if wanted in set(_taken(request.world, request.project, request.region)):
            raise google(
                409, f"IP address '{wanted}' is already being used", "ipInUseByAnotherResource"
            )


def free_address(request: Request, subnetwork_name: object) -> str:
    """Return the next free address of a subnetwork; made up when that lies outside of this
    world."""
    subnetwork = _subnetwork(request, subnetwork_name)
    if subnetwork is None:
        third, fourth = (int(hex_digits(seed, 2), 16) for seed in (request.id, request.id[::-1]))
        return f"10.128.{third}.{fourth}"
    network = _parsed(subnetwork.inputs["ipCidrRange"])
    taken = set(_taken(request.world, request.project, request.region))
    start = _RESERVED_AT_START + _EPHEMERAL_START - 2
    for offset in range(min(start, network.num_addresses - 1), network.num_addresses - 2):
        candidate = str(network[offset])
        if candidate not in taken:
            return candidate
    raise google(400, f"IP space of '{subnetwork.id}' is exhausted", "ipSpaceExhausted")


def check_proxies(request: Request) -> None:
    """Raise the cloud's 400 where a load balancer's proxies have no subnetwork to run in.

    See https://cloud.google.com/load-balancing/docs/proxy-only-subnets
    """
    purpose, schemes = _PROXIES[request.type.token]
    network = _made(request, network_of(request))
    if request.inputs.get("loadBalancingScheme") not in schemes or network is None:
        return
    subnetwork = _subnetwork(request, request.inputs.get("subnetwork"))
    region = request.region if subnetwork is None else subnetwork.outputs.get("region")
    for each in request.world.by_type(SUBNETWORK, network.project):
        if (
            each.inputs.get("purpose") == purpose
            and each.inputs.get("role", "ACTIVE") == "ACTIVE"
            and each.outputs.get("region") == region
            and _network_id(request, each.inputs["network"]) == network.id
        ):
            return
    raise google(
        400,
        f"Invalid value for field 'resource.target': '{request.inputs.get('target')}'. An active "
        "proxy-only subnetwork is required in the same region and VPC as the forwarding rule.",
        "invalid",
    )


def check_private_access(request: Request) -> None:
    """Raise the cloud's 400 for an instance in a network without private services access.

    See https://cloud.google.com/memorystore/docs/redis/networking
    """
    network = _made(request, _network_id(request, request.inputs.get("authorizedNetwork")))
    if request.inputs.get("connectMode") != "PRIVATE_SERVICE_ACCESS" or network is None:
        return
    peered = request.world.by_type(CONNECTION)
    if all(_network_id(request, each.inputs["network"]) != network.id for each in peered):
        raise google(
            400,
            "Google private service access is not enabled. Enable privateServiceAccess and try "
            "again.",
            "badRequest",
        )


def network_of(request: Request) -> str:
    """Return the id of the VPC that a rule is in, also where it names only a subnetwork or a short
    name."""
    given = request.inputs.get("network")
    if not given:
        subnetwork = _subnetwork(request, request.inputs.get("subnetwork"))
        given = subnetwork.inputs.get("network") if subnetwork else None
    return _network_id(request, given)


def _network_id(request: Request, given: object) -> str:
    name = request.own_name(str(given or ""))
    return name if "/" in name else f"projects/{request.project}/global/networks/{name}"


def _made(request: Request, network: str) -> CloudResource | None:
    """Return a VPC; None of one that is unknown here, or was there before."""
    found = request.world.get(NETWORK, network)
    return None if found is None or found.owner == EXISTING else found


def _subnetwork(request: Request, name: object) -> CloudResource | None:
    if not isinstance(name, str) or not name:
        return None
    full = request.own_name(name)
    if "/" not in full:
        full = f"projects/{request.project}/regions/{request.region}/subnetworks/{full}"
    return request.world.get(SUBNETWORK, full)


def _taken(world: World, project: str, region: str) -> Iterator[str]:
    for token, prop in ((ADDRESS, "address"), (FORWARDING_RULE, "ipAddress")):
        for resource in world.by_type(token, project):
            if resource.outputs.get("region") == region:
                yield str(resource.outputs.get(prop, ""))


def _public(seed: str) -> str:
    parts = (int(hex_digits(f"{seed}#{index}", 2), 16) for index in range(3))
    return ".".join(["34", *map(str, parts)])

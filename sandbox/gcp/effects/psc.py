"""Private Service Connect: who may connect, and what each side sees of a connection.

See https://cloud.google.com/vpc/docs/about-vpc-hosted-services
"""

from dataclasses import replace
from typing import Final

from sandbox.errors import google
from sandbox.gcp.effects.network import (
    ADDRESS,
    FORWARDING_RULE,
    SUBNETWORK,
    check_proxies,
    free_address,
    network_of,
)
from sandbox.gcp.naming import digits, project_number
from sandbox.gcp.request import Request
from sandbox.values import Values, as_list
from sandbox.world import CloudResource, World

ATTACHMENT: Final = "gcp:compute/serviceAttachment:ServiceAttachment"
_INTERNAL: Final = frozenset({"INTERNAL", "INTERNAL_MANAGED"})
_API_BUNDLES: Final = frozenset({"all-apis", "vpc-sc"})
STATUS: Final = "pscConnectionStatus"
_CLOSED: Final = "CLOSED"
_DECIDED: Final = ("ACCEPTED", "REJECTED")


def check_forwarding_rule(request: Request) -> None:
    """Raise the cloud's 409 when the address is already another rule's, its 400 where proxies have
    nowhere to run."""
    check_proxies(request)
    address = _reserved(request)
    literal = str(request.inputs.get("ipAddress") or "")
    ip = address.outputs["address"] if address is not None else literal
    if not ip or request.old:
        return
    shared = address is not None and address.outputs.get("purpose") == "SHARED_LOADBALANCER_VIP"
    for other in request.world.by_type(FORWARDING_RULE, request.project):
        if other.outputs.get("ipAddress") == ip and not shared:
            raise google(
                409,
                f"IP_IN_USE_BY_ANOTHER_RESOURCE - IP '{ip}' is already being used by another "
                f"resource '{other.id}'",
                "conflict",
            )


def forwarding_rule_outputs(request: Request) -> Values:
    """Return the address, and for an endpoint its connection id and status."""
    outputs: Values = {"ipAddress": _address(request)}
    attachment = _attachment(request.world, request.own_name(str(request.inputs.get("target", ""))))
    if attachment is not None:
        outputs["pscConnectionId"] = digits(f"psc:{request.id}", 17)
        outputs[STATUS] = _CLOSED if _closed(request.old) else _status(request, attachment)
    elif request.inputs.get("target") in _API_BUNDLES:
        outputs["pscConnectionId"] = digits(f"psc:{request.id}", 17)
        outputs[STATUS] = "ACCEPTED"
    else:
        outputs["pscConnectionId"] = outputs[STATUS] = ""
    return outputs


def _reserved(request: Request) -> CloudResource | None:
    given = request.inputs.get("ipAddress")
    if not isinstance(given, str):
        return None
    name = request.own_name(given)
    if "/" not in name:
        name = f"projects/{request.project}/regions/{request.region}/addresses/{name}"
    return request.world.get(ADDRESS, name)


def _address(request: Request) -> str:
    address = _reserved(request)
    if address is not None:
        return str(address.outputs["address"])
    kept = request.inputs.get("ipAddress") or request.old.get("ipAddress")
    return str(kept) if kept else free_address(request, request.inputs.get("subnetwork"))


def _attachment(world: World, name: str) -> CloudResource | None:
    return world.get(ATTACHMENT, name)


def _status(request: Request, attachment: CloudResource) -> str:
    inputs = attachment.inputs
    if inputs.get("connectionPreference") == "ACCEPT_AUTOMATIC":
        return "ACCEPTED"
    project = request.project
    consumers = {project, project_number(project)}
    network = network_of(request)
    if consumers & set(as_list(inputs.get("consumerRejectLists"))):
        return "REJECTED"
    for entry in as_list(inputs.get("consumerAcceptLists")):
        by_project = entry.get("projectIdOrNum") in consumers
        by_network = request.own_name(str(entry.get("networkUrl") or "-")) == network
        if (by_project or by_network) and _room(request, attachment, entry, by_network=by_network):
            return "ACCEPTED"
    return "PENDING"


def _room(request: Request, attachment: CloudResource, entry: Values, *, by_network: bool) -> bool:
    """Return whether an entry's limit leaves room beside the older endpoints of whom it names."""
    limit, network = int(entry.get("connectionLimit") or 0), network_of(request)
    older = [
        rule
        for rule in _endpoints(request, attachment)
        if rule.id != request.id
        and rule.outputs.get(STATUS) == "ACCEPTED"
        and (
            network_of(replace(request, inputs=rule.inputs)) == network
            if by_network
            else rule.project == request.project
        )
    ]
    return len(older) < limit


def _endpoints(request: Request, attachment: CloudResource) -> list[CloudResource]:
    return [
        rule
        for rule in request.world.by_type(FORWARDING_RULE)
        if request.own_name(str(rule.inputs.get("target", ""))) == attachment.id
    ]


def after_endpoint(request: Request) -> None:
    """Let the attachment list its endpoints anew."""
    target = request.own_name(str(request.inputs.get("target", "")))
    attachment = _attachment(request.world, target)
    if attachment is not None:
        _list_endpoints(request, attachment)


def after_attachment(request: Request) -> None:
    """Judge the existing endpoints anew after the accept lists changed.

    What was decided stays so, unless connections are reconciled; what was closed stays closed.
    """
    attachment = request.world.get(ATTACHMENT, request.id)
    if attachment is None:
        return
    for rule in _endpoints(request, attachment):
        decided = rule.outputs.get(STATUS) in _DECIDED
        if _closed(rule.outputs) or (decided and not attachment.inputs.get("reconcileConnections")):
            continue
        endpoint = replace(request, inputs=rule.inputs, id=rule.id)
        _tell(endpoint, rule, _status(endpoint, attachment))
    _list_endpoints(request, attachment)


def after_attachment_deletion(request: Request) -> None:
    """Close the endpoints of an attachment that is gone, for good: another of its name doesn't
    open them."""
    for rule in request.world.by_type(FORWARDING_RULE):
        if request.own_name(str(rule.inputs.get("target", ""))) == request.id:
            _tell(request, rule, _CLOSED)


def recreates_closed(token: str, state: Values, inputs: Values) -> bool:
    """Return whether the provider makes an endpoint anew, as its producer closed the connection."""
    return token == FORWARDING_RULE and bool(inputs.get("recreateClosedPsc")) and _closed(state)


def _closed(state: Values) -> bool:
    return state.get(STATUS) == _CLOSED


def _tell(request: Request, rule: CloudResource, status: str) -> None:
    request.world.put(replace(rule, outputs={**rule.outputs, STATUS: status}))


def _list_endpoints(request: Request, attachment: CloudResource) -> None:
    listed = [
        {
            "endpoint": rule.outputs.get("selfLink", rule.id),
            "status": rule.outputs.get(STATUS, "PENDING"),
            "pscConnectionId": rule.outputs.get("pscConnectionId", ""),
            "consumerNetwork": rule.inputs.get("network", ""),
        }
        for rule in _endpoints(request, attachment)
    ]
    request.world.put(
        replace(attachment, outputs={**attachment.outputs, "connectedEndpoints": listed})
    )


def check_attachment(request: Request) -> None:
    """Raise the cloud's 400 for a wrong target rule or NAT subnetwork."""
    target = request.own_name(str(request.inputs["targetService"]))
    rule = request.world.get(FORWARDING_RULE, target)
    if rule is not None and rule.outputs.get("loadBalancingScheme") not in _INTERNAL:
        raise google(
            400,
            f"Invalid value for field 'resource.targetService': '{target}'. The forwarding rule "
            "of a service attachment must be of an internal load balancer",
            "invalid",
        )
    for text in as_list(request.inputs.get("natSubnets")):
        _check_nat_subnetwork(request, request.own_name(str(text)))


def _check_nat_subnetwork(request: Request, name: str) -> None:
    subnetwork = request.world.get(SUBNETWORK, name)
    if subnetwork is None:
        return
    if subnetwork.inputs.get("purpose") != "PRIVATE_SERVICE_CONNECT":
        raise google(
            400,
            f"Invalid value for field 'resource.natSubnets[0]': '{name}'. The purpose of the "
            "subnetwork must be PRIVATE_SERVICE_CONNECT",
            "invalid",
        )
    for other in request.world.by_type(ATTACHMENT):
        used = [request.own_name(str(text)) for text in as_list(other.inputs.get("natSubnets"))]
        if other.id != request.id and name in used:
            raise google(
                400,
                f"The subnetwork resource '{name}' is already being used by '{other.id}'",
                "resourceInUseByAnotherResource",
            )

"""How consumers come to a Gateway: its region, its attachment, and their ways with DNS names.

A way is an endpoint, or a cross-region load balancer that has the attachment behind it.
"""

from request_path.frontends import Frontend, frontends_of
from request_path.matching import host_matches
from request_path.objects import Gateway, Objects, Part, Record, Regional
from resources.properties import UNKNOWN


def region_of(gateway: Gateway, objects: Objects) -> str | None:
    """Return the region of a Gateway: that of the address it takes."""
    wired = [each for each in objects.addresses if each.urn in gateway.wired]
    named = [each for each in objects.addresses if each.name in gateway.address_names]
    regions = {each.region for each in wired or named}
    region = regions.pop() if len(regions) == 1 else None
    return region if isinstance(region, str) else None


def attachments_of(gateway: Gateway, objects: Objects) -> list[Regional]:
    """Return the service attachments that publish a Gateway.

    The forwarding rule they name is made by GKE, so it is the wiring that tells, or the region.
    """
    gateways = {each.urn for each in objects.gateways}
    region = region_of(gateway, objects)
    return [
        each
        for each in objects.attachments
        if gateway.urn in each.wired
        or (not gateways & each.wired and region is not None and each.region == region)
    ]


def endpoints_of(attachment: Regional, objects: Objects) -> list[Regional]:
    """Return the consumers' endpoints of a service attachment."""
    end = f"/regions/{attachment.region}/serviceAttachments/{attachment.name}"
    return [
        each
        for each in objects.endpoints
        if attachment.urn in each.wired
        or (isinstance(each.target, str) and each.target.endswith(end))
    ]


Way = Regional | Frontend


def ways_to(attachment: Regional, objects: Objects) -> list[Way]:
    """Return the ways of all consumers to a service attachment."""
    return [*endpoints_of(attachment, objects), *frontends_of(attachment, objects)]


def _rules(way: Way) -> tuple[Regional | Part, ...]:
    return way.rules if isinstance(way, Frontend) else (way,)


def addresses_of(rule: Regional | Part, objects: Objects) -> list[Regional]:
    """Return the reserved addresses that an endpoint or a forwarding rule takes."""
    return [each for each in objects.addresses if each.urn in rule.wired]


def address_of(rule: Regional | Part, objects: Objects) -> object:
    """Return the address of an endpoint or a forwarding rule."""
    known = [each.address for each in addresses_of(rule, objects)]
    return known[0] if known else rule.address


def network_of(way: Way, objects: Objects) -> object:
    """Return what tells the network of a way from others: its URN, or its name where it's
    foreign."""
    for rule in _rules(way):
        for network in objects.networks:
            if network.urn in rule.wired:
                return network.urn
    # Links and full names end alike.
    return str(_rules(way)[0].network).rpartition("projects/")[2]


def records_of(way: Way, objects: Objects) -> list[Record]:
    """Return the DNS records that lead to a way."""
    sources: set[str] = set()
    known: set[object] = set()
    for rule in _rules(way):
        reserved = addresses_of(rule, objects)
        sources |= {rule.urn, *(each.urn for each in reserved)}
        known |= {rule.address, *(each.address for each in reserved)} - {None, UNKNOWN}
    return [each for each in objects.records if sources & each.wired or known & set(each.addresses)]


def names_host(record: Record, host: str) -> bool:
    """Return whether a record is for a host, or may be."""
    return not isinstance(record.name, str) or host_matches(record.name.rstrip(".").lower(), host)

"""How consumers come to a Gateway: its region, its attachment, their endpoints and DNS names."""

from request_path.matching import host_matches
from request_path.objects import Gateway, Objects, Record, Regional
from request_path.values import UNKNOWN


def region_of(gateway: Gateway, objects: Objects) -> str | None:
    """Give the region of a Gateway: that of the address it takes."""
    wired = [each for each in objects.addresses if each.urn in gateway.wired]
    named = [each for each in objects.addresses if each.name in gateway.address_names]
    regions = {each.region for each in wired or named}
    region = regions.pop() if len(regions) == 1 else None
    return region if isinstance(region, str) else None


def attachments_of(gateway: Gateway, objects: Objects) -> list[Regional]:
    """Give the service attachments that publish a Gateway.

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
    """Give the consumers' endpoints of a service attachment."""
    end = f"/regions/{attachment.region}/serviceAttachments/{attachment.name}"
    return [
        each
        for each in objects.endpoints
        if attachment.urn in each.wired
        or (isinstance(each.target, str) and each.target.endswith(end))
    ]


def addresses_of(endpoint: Regional, objects: Objects) -> list[Regional]:
    """Give the reserved addresses an endpoint takes."""
    return [each for each in objects.addresses if each.urn in endpoint.wired]


def records_of(endpoint: Regional, objects: Objects) -> list[Record]:
    """Give the DNS records that lead to an endpoint."""
    reserved = addresses_of(endpoint, objects)
    sources = {endpoint.urn, *(each.urn for each in reserved)}
    known = {endpoint.address, *(each.address for each in reserved)} - {None, UNKNOWN}
    return [each for each in objects.records if sources & each.wired or known & set(each.addresses)]


def names_host(record: Record, host: str) -> bool:
    """Whether a record is for a host, or may be."""
    return not isinstance(record.name, str) or host_matches(record.name.rstrip(".").lower(), host)

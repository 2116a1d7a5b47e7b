"""Every Gateway with models is published, and its host name resolves where its consumers are."""

from collections import defaultdict
from collections.abc import Iterator

from request_path.fields import is_set
from request_path.finding import Finding, finding
from request_path.frontends import Frontend, frontends_of
from request_path.matching import Claim, claims_of
from request_path.models import reaches_models
from request_path.objects import Objects, Regional
from request_path.publication import (
    Way,
    attachments_of,
    names_host,
    network_of,
    records_of,
    ways_to,
)


def check(objects: Objects) -> Iterator[Finding]:
    """Yield what keeps consumers from a Gateway; a stack that publishes nothing is left alone."""
    if not objects.attachments:
        return
    claims = {
        (claim.gateway.urn, claim.host): claim
        for claim in claims_of(objects)
        if reaches_models(claim, objects)
    }
    for claim in claims.values():
        attachments = attachments_of(claim.gateway, objects)
        if not attachments:
            yield finding("unpublished", claim.gateway)
        for attachment in attachments:
            yield from _names(claim, attachment, objects)
    for attachment in objects.attachments:
        for frontend in frontends_of(attachment, objects):
            if not is_set(frontend.service.outliers):
                yield finding("no-outlier-detection", frontend.service)


def _names(claim: Claim, attachment: Regional, objects: Objects) -> Iterator[Finding]:
    """In each network one of the ways has the host's name: its endpoint, or its load balancer."""
    by_network: defaultdict[object, list[Way]] = defaultdict(list)
    for way in ways_to(attachment, objects):
        by_network[network_of(way, objects)].append(way)
    for ways in by_network.values():
        records = [record for way in ways for record in records_of(way, objects)]
        if any(names_host(record, claim.host) for record in records):
            continue
        first = ways[0]
        yield finding(
            "no-dns-name/way" if records else "no-dns-name/endpoint",
            first.service if isinstance(first, Frontend) else first,
            claim.host,
            claim.gateway,
        )

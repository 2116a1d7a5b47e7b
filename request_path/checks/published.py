"""Every Gateway with models is published, and its host name resolves where its consumers are."""

from collections.abc import Iterator

from request_path.finding import Check, Finding
from request_path.matching import Claim, claims_of
from request_path.models import reaches_models
from request_path.objects import Objects, Regional
from request_path.publication import attachments_of, endpoints_of, names_host, records_of


def check(objects: Objects) -> Iterator[Finding]:
    """Give what keeps consumers from a Gateway; a stack that publishes nothing is left alone."""
    if not objects.attachments:
        return
    claims = {
        (claim.gateway.urn, claim.host): claim
        for claim in claims_of(objects)
        if reaches_models(claim)
    }
    for claim in claims.values():
        attachments = attachments_of(claim.gateway, objects)
        if not attachments:
            yield Finding(
                Check.REACHABLE,
                "unpublished",
                claim.gateway,
                "no service attachment publishes it, although others are published",
            )
        for attachment in attachments:
            for endpoint in endpoints_of(attachment, objects):
                yield from _names(claim, endpoint, objects)


def _names(claim: Claim, endpoint: Regional, objects: Objects) -> Iterator[Finding]:
    records = records_of(endpoint, objects)
    if not any(names_host(record, claim.host) for record in records):
        yield Finding(
            Check.REACHABLE,
            "no-dns-name",
            endpoint,
            "no DNS record leads from {} to this endpoint"
            if not records
            else "its DNS record isn't for {}, the host name of the Gateway",
            (claim.host,),
        )

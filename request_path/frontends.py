"""Cross-region load balancers of consumers: one name in front of the Gateways of all regions.

A global forwarding rule for each region's address, then one proxy, one URL map and one backend
service, whose network endpoint groups lead to the service attachments.
https://cloud.google.com/vpc/docs/private-service-connect-backends
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from request_path.objects import Objects, Part, Regional
from resources.properties import UNKNOWN


@dataclass(frozen=True)
class Frontend:
    """The addresses of a consumer's load balancer that share a backend service."""

    rules: tuple[Part, ...]
    service: Part
    groups: tuple[Part, ...]


def frontends_of(attachment: Regional, objects: Objects) -> list[Frontend]:
    """Return the load balancers that have a service attachment among their backends."""
    return [
        each
        for each in _frontends(objects)
        if any(leads_to_attachment(group, attachment) for group in each.groups)
    ]


def leads_to_attachment(group: Part, attachment: Regional) -> bool:
    """Return whether a network endpoint group is of a service attachment."""
    end = f"/regions/{attachment.region}/serviceAttachments/{attachment.name}"
    return attachment.urn in group.wired or any(
        isinstance(link, str) and link.endswith(end) for link in group.leads_to
    )


def _frontends(objects: Objects) -> Iterator[Frontend]:
    for service in objects.backend_services:
        urls = [each for each in objects.url_maps if _leads(each, service)]
        proxies = [each for each in objects.proxies if _lead_to_one(each, urls)]
        rules = [each for each in objects.forwarding_rules if _lead_to_one(each, proxies)]
        if rules:
            groups = (each for each in objects.endpoint_groups if _leads(service, each))
            yield Frontend(tuple(rules), service, tuple(groups))


def _lead_to_one(part: Part, others: Iterable[Part]) -> bool:
    return any(_leads(part, other) for other in others)


def _leads(part: Part, other: Part) -> bool:
    if other.urn in part.wired:
        return True
    return other.link not in {None, UNKNOWN} and other.link in part.leads_to


def regions_behind(frontend: Frontend, attachments: Sequence[Regional]) -> list[str]:
    """Return the regions whose service attachments a load balancer has among its backends."""
    return sorted(
        {
            str(each.region)
            for each in attachments
            if any(leads_to_attachment(group, each) for group in frontend.groups)
        }
    )

"""Read the parts of a cross-region internal load balancer, from its addresses to its regions.

https://cloud.google.com/load-balancing/docs/l7-internal
"""

from typing import Final

from request_path import objects as o
from request_path.reading.resource import Resource, base
from request_path.values import Unknown, get, items, text

_NEXT: Final = ("target", "urlMap", "defaultService", "pscTargetService")


def part(resource: Resource) -> o.Part:
    """Read one part: what it leads to stands under a name of its kind."""
    props = resource.props
    return o.Part(
        **base(resource),
        name=text(props, "name"),
        link=text(props, "selfLink"),
        leads_to=tuple(_links(props)),
        address=text(props, "ipAddress"),
        network=text(props, "network"),
        timeout=text(props, "timeoutSec"),
        outliers=get(props, "outlierDetection"),
    )


def _links(props: object) -> list[str | Unknown]:
    found = [text(props, key) for key in _NEXT]
    found += [text(each, "group") for each in items(props, "backends")]
    return [each for each in found if each is not None]

"""Read the parts of a cross-region internal load balancer, from its addresses to its regions.

https://cloud.google.com/load-balancing/docs/l7-internal
"""

from typing import Final

from request_path import objects as o
from request_path.fields import items, text, texts
from request_path.reading.common import base
from resources.properties import Unknown, get
from resources.resource import Resource

_NEXT: Final = ("target", "urlMap", "defaultService", "pscTargetService")


def part(resource: Resource) -> o.Part:
    """Read one part: what it leads to stands under a name of its kind."""
    props = resource.props
    return o.Part(
        **base(resource),
        name=text(props, "name"),
        link=text(props, "selfLink"),
        leads_to=_links(props),
        address=text(props, "ipAddress"),
        network=text(props, "network"),
        timeout=text(props, "timeoutSec"),
        outliers=get(props, "outlierDetection"),
    )


def _links(props: object) -> tuple[str | Unknown, ...]:
    own = [get(props, key) for key in _NEXT]
    return (*texts(own), *texts(items(props, "backends"), "group"))

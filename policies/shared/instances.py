"""What the rules on instances of Cloud Run services and of worker pools have in common."""

from collections.abc import Iterator

from policies.shared.limits import Limits
from resources.cloud_run import max_instances
from resources.properties import Absence, show
from resources.resource import Resource


def check_instances(resource: Resource, limits: Limits) -> Iterator[str]:
    """Yield a maximum of instances that is above the limit `maxInstances`, missing or not known."""
    cap = limits.number("maxInstances")
    instances = max_instances(resource.props)
    if isinstance(instances, Absence):
        yield f"its maximum of instances is {instances.value}, allowed {show(cap)}"
    elif instances > cap:
        yield f"may run {show(instances, 'instance')}, allowed {show(cap)}"

"""The Cloud Armor policy in front of a backend of a route."""

from collections.abc import Iterator

from request_path.fields import Text, text
from request_path.hops import policies_on
from request_path.objects import Objects, Policy, Pool, Regional, Service
from resources.properties import UNKNOWN


def named_policy(target: Pool | Service, objects: Objects) -> Iterator[tuple[Policy, Text]]:
    """Yield the names of Cloud Armor policies on a backend, each with what names it."""
    for attaching in policies_on(objects, target, "GCPBackendPolicy"):
        name = text(attaching.settings, "securityPolicy")
        if name is not None:
            yield attaching, name


def policy_of(attaching: Policy, name: Text, objects: Objects) -> Regional | None:
    """Return the policy that a GCPBackendPolicy names, by its wiring or its name."""
    wired = [each for each in objects.security_policies if each.urn in attaching.wired]
    known = [each for each in objects.security_policies if name == each.name is not UNKNOWN]
    return next(iter(wired or known), None)

"""What a backend of a route is, and the Cloud Armor policy in front of it."""

from collections.abc import Iterator

from request_path.fields import Text, text
from request_path.hops import policies_on
from request_path.matching import Claim
from request_path.models import pool_of, service_of
from request_path.objects import Backend, Objects, Policy, Pool, Regional, Service
from resources.properties import UNKNOWN


def backend_of(claim: Claim, backend: Backend, objects: Objects) -> Pool | Service | None:
    """Return the pool or the Service of a backend."""
    return pool_of(claim, backend, objects) or service_of(claim, backend, objects)


def named_policy(target: Pool | Service, objects: Objects) -> Iterator[tuple[Policy, Text]]:
    """Yield the names of Cloud Armor policies on a backend, each with what names it."""
    kind = "InferencePool" if isinstance(target, Pool) else "Service"
    for attaching in policies_on(objects, target, kind, "GCPBackendPolicy"):
        name = text(attaching.settings, "securityPolicy")
        if name is not None:
            yield attaching, name


def policy_of(attaching: Policy, name: Text, objects: Objects) -> Regional | None:
    """Return the policy that a GCPBackendPolicy names, by its wiring or its name."""
    wired = [each for each in objects.security_policies if each.urn in attaching.wired]
    known = [each for each in objects.security_policies if name == each.name is not UNKNOWN]
    return next(iter(wired or known), None)

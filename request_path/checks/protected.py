"""Every Cloud Armor policy that a backend names is there, in the region of its load balancer."""

from collections.abc import Iterator

from request_path.finding import Finding, finding
from request_path.matching import Claim, claims_of
from request_path.models import backend_of, reaches_models
from request_path.objects import Objects
from request_path.publication import region_of
from request_path.security_policies import named_policy, policy_of
from resources.properties import UNKNOWN
from resources.selectors import may_equal


def check(objects: Objects) -> Iterator[Finding]:
    """Yield each policy of backends that isn't attached, as it isn't there."""
    for claim in claims_of(objects):
        if reaches_models(claim, objects):
            yield from _policies(claim, objects)


def _policies(claim: Claim, objects: Objects) -> Iterator[Finding]:
    region = region_of(claim.gateway, objects)
    for backend in claim.rule.backends:
        target = backend_of(claim, backend, objects)
        for attaching, name in named_policy(target, objects) if target else ():
            policy = policy_of(attaching, name, objects)
            if policy is None and name is not UNKNOWN:
                yield finding("security-policy-missing", attaching, name)
            elif policy is not None and region and not may_equal(policy.region, region):
                where = (policy, policy.region, claim.gateway, region)
                yield finding("security-policy-elsewhere", attaching, *where)

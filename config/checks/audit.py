"""Audit: logs go to a region that there is, and who reads them can be told."""

from collections.abc import Iterator

from catalog.limits.network import REGION
from catalog.problems import Problem, did_you_mean, shown
from config.checks.principals import check_principals
from config.known import Known


def check_audit(known: Known) -> Iterator[Problem]:
    """Check where audit logs go, and who reads them."""
    if known.audit is None:
        return
    # Not one of `regions`: a locked bucket stays where the platform leaves.
    region = known.audit.region
    if region not in REGION.values:
        remedy = did_you_mean(region, REGION.values, REGION.remedy)
        yield Problem(("audit", "region"), shown(region), REGION.allowed, remedy)
    yield from check_principals(known, ("audit", "readers"), known.audit.readers)

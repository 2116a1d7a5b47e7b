"""Audit: logs go to a region of the platform, and somebody may read them."""

from collections.abc import Iterator

from catalog.problems import Problem
from config.checks.principals import check_principals
from config.checks.references import check_name
from config.known import Known


def check_audit(known: Known) -> Iterator[Problem]:
    """Check where audit logs go, and who reads them."""
    if known.audit is None:
        return
    yield from check_name(known, "regions", ("audit", "region"), known.audit.region)
    yield from check_principals(known, ("audit", "readers"), known.audit.readers)

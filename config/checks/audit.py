"""Audit: who reads the logs are accounts and groups that can be told."""

from collections.abc import Iterator

from catalog.problems import Problem
from config.checks.principals import check_principals
from config.known import Known


def check_audit(known: Known) -> Iterator[Problem]:
    """Check who reads audit logs."""
    if known.audit is None:
        return
    yield from check_principals(known, ("audit", "readers"), known.audit.readers)

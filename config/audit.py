"""Audit: who read and changed what, and where it is written down."""

from typing import Annotated

from catalog.limits import operations as limits
from config.fields import Settings
from config.principals import Principal


class Audit(Settings):
    """Audit logs of the project, access to data included, kept and ready for queries."""

    region: str
    """Region of the bucket and the dataset that the logs go to. They stay when the platform leaves
    a region, so that it need not be one of `regions`."""
    retention_days: Annotated[int, limits.AUDIT_DAYS] = limits.AUDIT_DAYS.default
    """Days that the bucket keeps an entry; before, nobody can delete or replace it."""
    locked: bool = False
    """Whether nobody can shorten that time any more, and so the bucket be deleted before its
    entries may be. There is no way back."""
    query_days: Annotated[int, limits.QUERY_DAYS] = limits.QUERY_DAYS.default
    """Days that an entry can be queried in BigQuery."""
    readers: tuple[Principal, ...] = ()
    """Who may read the logs in both."""

"""Traffic: which revision of a service gets a request.

https://cloud.google.com/run/docs/rollouts-rollbacks-traffic-migration
"""

from collections.abc import Sequence

from emulator.runtime.services import Share

_TAG_END = "---"


class Traffic:
    """Shares requests out as a service says.

    Cloud Run draws a revision for each request; here the shares are kept exactly, so that of a
    hundred requests each revision gets its percentage.
    """

    def __init__(self, shares: Sequence[Share]) -> None:
        self._tags = {share.tag: share.revision for share in shares if share.tag}
        self._percent: dict[str, int] = {}
        for share in shares:
            if share.percent:
                before = self._percent.get(share.revision, 0)
                self._percent[share.revision] = before + share.percent
        self._due = dict.fromkeys(self._percent, 0)

    @property
    def revisions(self) -> set[str]:
        """Those that can get a request."""
        return {*self._percent, *self._tags.values()}

    def revision_for(self, host: str) -> str | None:
        """Return the revision for a request to that host; None when its tag is nobody's."""
        tag, end, _ = host.partition(_TAG_END)
        if end:
            return self._tags.get(tag)
        for revision, percent in self._percent.items():
            self._due[revision] += percent
        chosen = max(self._due, key=lambda revision: self._due[revision])
        self._due[chosen] -= sum(self._percent.values())
        return chosen

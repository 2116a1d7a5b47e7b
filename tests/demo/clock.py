"""A clock for tests."""


class ManualClock:
    """Stands still until it is put forward."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self._now = now

    def now(self) -> float:
        """Return the time."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Go on."""
        self._now += seconds

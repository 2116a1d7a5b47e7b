"""Clock: the time of a stack's messages, which can leave waits out."""

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time in seconds since 1970."""

    def now(self) -> float:
        """Return the time."""
        ...


class SkippingClock:
    """Goes as fast as the real time, and can be put forward when there is only waiting to do.

    So every wait is as long as the stack says, without anyone waiting for it, and none runs out
    while work is under way, however slow the machine is.
    """

    def __init__(self, ahead: float = 0.0) -> None:
        self.ahead = ahead
        """Seconds it is ahead of the real time."""

    def now(self) -> float:
        """Return the time."""
        return time.time() + self.ahead

    def skip_to(self, moment: float) -> None:
        """Go to a moment that is yet to come."""
        self.ahead = max(self.ahead, moment - time.time())

"""What Cloud Monitoring would tell of a picker's metric: of a counter how much a second."""

import time
from collections import deque
from typing import Final

from emulator.gateway.programs import LOOPBACK
from emulator.gateway.scraping import families
from emulator.gateway.workloads import Workload

WINDOW_SECONDS: Final = 10.0
"""Over which counters are reckoned; the adapter of Cloud Monitoring has five minutes."""


class Rates:
    """Reads metrics of pickers, and remembers counters for a while."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], deque[tuple[float, float]]] = {}

    def read(self, picker: Workload, metric: str) -> float:
        """Return the sum of a metric's series, by Cloud Monitoring's name: type|metric|kind."""
        _, name, kind = metric.split("|")
        value = _sum(picker, name)
        if kind != "counter":
            return value
        now = time.monotonic()
        seen = self._seen.setdefault((picker.name, name), deque())
        seen.append((now, value))
        while seen[0][0] < now - WINDOW_SECONDS:
            seen.popleft()
        return (value - seen[0][1]) / WINDOW_SECONDS


def _sum(picker: Workload, name: str) -> float:
    return sum(
        sample.value
        for family in families(f"{LOOPBACK}:{picker.port('metrics')}/metrics", (name,))
        for sample in family.samples
        if sample.name == name
    )

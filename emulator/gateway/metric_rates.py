"""What Cloud Monitoring would tell of a picker's metric: of a counter how much a second."""

import time
import urllib.request
from collections import deque
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from emulator.gateway.programs import LOOPBACK
from emulator.gateway.workloads import Workload

WINDOW_SECONDS: Final = 10.0
"""Over which counters are reckoned; the adapter of Cloud Monitoring has five minutes."""
_TIMEOUT_SECONDS: Final = 5.0


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
    address = f"http://{LOOPBACK}:{picker.port('metrics')}/metrics"
    with urllib.request.urlopen(address, timeout=_TIMEOUT_SECONDS) as answer:
        text: str = answer.read().decode()
    lines = "".join(f"{line}\n" for line in text.splitlines() if line.startswith(name))
    return sum(
        sample.value
        for family in text_string_to_metric_families(lines)
        for sample in family.samples
        if sample.name == name
    )

"""Reads what a program tells of itself, as Prometheus has it."""

import urllib.request
from typing import Final

from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

_SECONDS: Final = 5.0


def families(address: str, names: tuple[str, ...]) -> list[Metric]:
    """Return the metrics at an address that begin with one of the names. Raises OSError.

    A picker has two thousand lines, of which a dozen are asked for.
    """
    with urllib.request.urlopen(f"http://{address}", timeout=_SECONDS) as answer:
        text: str = answer.read().decode()
    wanted = "".join(f"{line}\n" for line in text.splitlines() if line.startswith(names))
    return list(text_string_to_metric_families(wanted))

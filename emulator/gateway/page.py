"""The page that a served request path leaves: where requests went, how long they took, and why."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

from emulator.pages import STYLE, table

_SHOWN: Final = 200
"""Requests that are shown one by one, the last of them."""
_AT_ONCE: Final = "the times are the path's own"
_NOWHERE: Final = "none"
_WAYS: Final = (("route", "Routes"), ("pool", "Pools"), ("replica", "Replicas"))


def write_page(
    file: Path, stack: str, requests: Sequence[Mapping[str, Any]], answered: str = ""
) -> None:
    """Write the page of requests, of which each is a line of the access log, and who answered."""
    title = f"Requests to the models of {stack}"
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title>",
        f"<style>{STYLE}</style><h1>{escape(title)}</h1>",
        f"<p>The model servers are simulated: {escape(answered or _AT_ONCE)}.</p>",
    ]
    for key, heading in _WAYS:
        parts += [f"<h2>{heading}</h2>", _shares(key, requests)]
    shown = requests[-_SHOWN:]
    parts += [f"<h2>The last {len(shown)} of {len(requests)}</h2>", _single(shown)]
    file.write_text("\n".join(parts), encoding="utf-8")


def _shares(key: str, requests: Sequence[Mapping[str, Any]]) -> str:
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for each in requests:
        found.setdefault((str(each["model"] or "-"), str(each[key] or _NOWHERE)), []).append(each)
    of_model = Counter(str(each["model"] or "-") for each in requests)
    return table(
        ("model", key, "requests", "of the model's", "statuses", "p50 ms", "p90 ms", "p99 ms"),
        (
            (model, name, len(some), f"{len(some) / of_model[model]:.0%}", *_figures(some))
            for (model, name), some in sorted(found.items())
        ),
    )


def _figures(requests: Sequence[Mapping[str, Any]]) -> tuple[str, int, int, int]:
    statuses = Counter(each["status"] for each in requests)
    told = ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items()))
    times = sorted(each["milliseconds"] for each in requests)
    # The nearest rank: of few requests the slowest is each of the high ones.
    p50, p90, p99 = (times[math.ceil(share * len(times)) - 1] for share in (0.5, 0.9, 0.99))
    return told, p50, p90, p99


def _single(requests: Sequence[Mapping[str, Any]]) -> str:
    keys = ("status", "model", "route", "pool", "replica", "milliseconds", "why", "scores")
    return table(keys, ([each.get(key) or "" for key in keys] for each in requests))

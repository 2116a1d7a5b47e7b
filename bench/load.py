"""A load client in a process of its own: `python -m bench.load '<Load as JSON>'`.

As many callers as wanted, each with a connection of its own and the next request when the last one
is answered. The figures go to standard output as JSON.
"""

import argparse
import asyncio
import itertools
import json
import ssl
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx

NUMBER = "NUMBER"
"""Stands in a body for what differs from request to request."""


class RefusedError(RuntimeError):
    """The service answered something else than success: there is no figure then."""


@dataclass(frozen=True)
class Load:
    """POSTs of a JSON body to `url`, for some seconds after one unmeasured request a caller."""

    url: str
    body: str
    concurrency: int
    seconds: float


def main() -> None:
    """Take a `Load` as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("load", type=json.loads, help="a Load as JSON")
    load = Load(**parser.parse_args().load)
    json.dump(asyncio.run(run(load)), sys.stdout)


async def run(load: Load) -> dict[str, Any]:
    """Return the figures of a load. Raises RefusedError."""
    numbers = itertools.count()
    context = ssl.create_default_context()  # one for all: it is slow to make
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(
                httpx.AsyncClient(verify=context, timeout=60, trust_env=False)
            )
            for _ in range(load.concurrency)
        ]
        await asyncio.gather(*(_ask(client, load, numbers) for client in clients))
        started = time.monotonic()
        callers = [_call(client, load, numbers, started + load.seconds) for client in clients]
        latencies = list(itertools.chain(*await asyncio.gather(*callers)))
        elapsed = time.monotonic() - started
    return summary(latencies, elapsed)


def summary(latencies: Sequence[float], elapsed: float) -> dict[str, Any]:
    """Return throughput and latency, from each answer's seconds and those of the whole."""
    percentiles = statistics.quantiles(latencies, n=100, method="inclusive")
    return {
        "requests": len(latencies),
        "requests_per_second": round(len(latencies) / elapsed, 1),
        "p50_ms": round(percentiles[49] * 1000, 1),
        "p99_ms": round(percentiles[98] * 1000, 1),
    }


async def _call(
    client: httpx.AsyncClient, load: Load, numbers: Iterator[int], until: float
) -> list[float]:
    latencies: list[float] = []
    while time.monotonic() < until:
        latencies.append(await _ask(client, load, numbers))
    return latencies


async def _ask(client: httpx.AsyncClient, load: Load, numbers: Iterator[int]) -> float:
    body = load.body.replace(NUMBER, str(next(numbers)))
    started = time.monotonic()
    answer = await client.post(load.url, content=body, headers={"content-type": "application/json"})
    seconds = time.monotonic() - started
    if not answer.is_success:
        raise RefusedError(f"{load.url} answered {answer.status_code}: {answer.text[:300]}")
    return seconds


if __name__ == "__main__":
    main()

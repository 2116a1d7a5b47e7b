"""The benchmark's arithmetic and tables, of given figures: a slow machine is no failure."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench import __main__ as bench
from bench import table as tables
from bench.load import NUMBER, Load, RefusedError, run, summary
from bench.measure import Figure
from bench.pack_cost import added
from bench.services import WORK, containers
from emulator.runtime.images import folder_of
from emulator.runtime.local_server import LocalServer

_OPERATION = {
    "platform": {"seconds": 9.0, "peak_mib": 300.4},
    "bare": {"seconds": 6.0, "peak_mib": 200.0},
    "ratio": 1.5,
}
_REPORT: dict[str, Any] = {
    "stacks": {"prod": {"resources": 500, "preview": _OPERATION, "up": _OPERATION}},
    "growth": [
        {
            "models": 10,
            "regions": 2,
            "pipelines": 20,
            "consumers": 3,
            "teams": 2,
            "resources": 321,
            "preview": {"seconds": 4.0, "peak_mib": 250.0},
            "up": {"seconds": 8.0, "peak_mib": 280.0},
            "ratio": 1.2,
        }
    ],
    "policies": {
        "unchanged_preview": added(
            [Figure(10, 10, 500), Figure(20, 10, 500), Figure(8, 10, 500)],
            [Figure(12, 11, 550), Figure(21, 11, 580), Figure(12, 12, 560)],
        ),
        "growth": [
            {
                "resources": 5000,
                "each_seconds": 2.5,
                "stack_seconds": 1.25,
                "ms_per_resource": 0.75,
                "resident_mib": 240.0,
            }
        ],
    },
    "services": {
        "llm_backend": {
            "ready_seconds": 0.5,
            "first_answer_seconds": 0.75,
            "concurrency": 40,
            "memory_limit_mib": 1024,
            "memory_percent": 6.25,
            "peak_mib": 64.0,
            **summary([0.001 * number for number in range(101)], 2.0),
        }
    },
    "request path": {"p50_ms": {"path": 7.5, "direct": 3.0, "added": 4.5}},
}


def test_the_table_has_every_part_with_its_figures() -> None:
    assert tables.table(_REPORT) == "\n".join(
        [
            "stacks",
            "                            platform              bare   ratio",
            "  prod preview         9.0 s 300 MiB     6.0 s 200 MiB     1.5",
            "  prod up              9.0 s 300 MiB     6.0 s 200 MiB     1.5",
            "",
            "growth",
            (
                "   10 models x 2, 20 pipelines, 3 consumers, 2 teams: 321 resources,"
                " preview 4.0 s 250 MiB, up 8.0 s 280 MiB, ratio 1.2"
            ),
            "",
            "policies",
            "  unchanged preview of prod 10.0 s, with the packs 12.0 s: +2.0 s, +20%",
            "  of processor time 10.0 s, with the packs 11.0 s: +1.0 s, +10%",
            "   5000 resources: one by one 2.50 s, the stack 1.25 s, 0.75 ms a resource, 240 MiB",
            "",
            "services",
            "  llm_backend: ready in 0.50 s, first answer 0.75 s",
            "    40 at a time: 50 requests/s, p50 50 ms, p99 99 ms, 64 of 1024 MiB (6%)",
            "",
            "request path",
            "  p50: 7.5 ms, direct 3.0: +4.5 ms",
        ]
    )


def test_the_table_leaves_out_what_was_not_measured() -> None:
    assert tables.table({"services": _REPORT["services"]}).startswith("services\n")
    assert tables.PARTS.keys() == bench.PARTS.keys()


def test_what_the_packs_add_is_the_median_of_pairs() -> None:
    # A slow moment meets both runs of a pair: the medians' difference would not see that.
    cost = added(
        [Figure(10, 1, 1), Figure(20, 1, 1), Figure(30, 1, 1)],
        [Figure(31, 1, 1), Figure(11, 1, 1), Figure(33, 1, 1)],
    )
    assert (cost["added_seconds"], cost["added_percent"]) == (3, 10)


def test_every_service_of_prod_is_measured() -> None:
    assert {folder_of(container.image) for container in containers()} == WORK.keys()


def test_the_load_numbers_its_requests_and_counts_no_refusal_as_an_answer() -> None:
    seen: list[bytes] = []
    status = 204

    async def answer(request: Request) -> Response:
        seen.append(await request.body())
        return Response(status_code=status)

    @asynccontextmanager
    async def served() -> AsyncGenerator[str]:
        server = LocalServer(Starlette(routes=[Route("/", answer, methods=["POST"])]))
        await server.start()
        try:
            yield server.url
        finally:
            await server.stop()

    async def loaded() -> dict[str, Any]:
        async with served() as url:
            return await run(Load(url, f'"{NUMBER}"', concurrency=3, seconds=0.2))

    figures = asyncio.run(loaded())
    assert figures["requests"] == len(seen) - 3  # the first of every caller
    assert sorted(seen) == sorted(b'"%d"' % number for number in range(len(seen)))
    status = 503
    with pytest.raises(RefusedError, match="503"):
        asyncio.run(loaded())

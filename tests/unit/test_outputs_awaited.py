"""A program waits for all its outputs at once, and ends with the first that fails."""

import asyncio
from collections.abc import Awaitable, Iterator
from typing import Any

import pytest
from pulumi.runtime.settings import SETTINGS
from pulumi.runtime.stack import wait_for_rpcs

from stacks.outputs_awaited import await_outputs_together

OUTPUTS = 60
AWAITED: Any = SETTINGS


@pytest.fixture(autouse=True)
def nothing_else_awaited() -> Iterator[None]:
    """Leave out what other tests made in loops that are gone: it would be awaited for ever."""
    AWAITED.outputs.clear()
    yield
    AWAITED.outputs.clear()


async def _later(turns: int) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)


async def _refused() -> None:
    raise ValueError("refused by the program")


async def _program(*outputs: Awaitable[None]) -> None:
    AWAITED.outputs.update(map(asyncio.ensure_future, outputs))
    await wait_for_rpcs()
    assert not AWAITED.outputs


def test_a_program_looks_at_its_outputs_once_however_many_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[int] = []
    wait = asyncio.wait

    async def counted(tasks: Any, **options: Any) -> Any:
        waits.append(len(tasks))
        return await wait(tasks, **options)

    await_outputs_together()
    monkeypatch.setattr(asyncio, "wait", counted)
    asyncio.run(_program(*map(_later, range(OUTPUTS))))
    assert waits == [OUTPUTS]


def test_an_output_that_fails_ends_the_program_before_the_others_are_there() -> None:
    await_outputs_together()
    with pytest.raises(ValueError, match="refused by the program"):
        asyncio.run(_program(_later(10**9), _refused()))

"""Once: work that two deliveries of a message share."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Once(Generic[T]):
    """Does the work of a key once, remembering the last `most` results.

    Who comes while the work goes on waits for it. Failed work is forgotten, so that the next
    delivery tries again. Cancelling one waiter leaves the work to the others.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._done: OrderedDict[str, T] = OrderedDict()
        self._going: dict[str, asyncio.Task[T]] = {}

    async def run(self, key: str, work: Callable[[], Awaitable[T]]) -> tuple[T, bool]:
        """Return the result, and whether another delivery did the work."""
        if key in self._done:
            self._done.move_to_end(key)
            return self._done[key], True
        task = self._going.get(key)
        repeated = task is not None
        if task is None:
            task = asyncio.ensure_future(self._work(key, work))
            self._going[key] = task
        return await asyncio.shield(task), repeated

    async def _work(self, key: str, work: Callable[[], Awaitable[T]]) -> T:
        try:
            result = await work()
        finally:
            del self._going[key]
        self._done[key] = result
        while len(self._done) > self._most:
            self._done.popitem(last=False)
        return result

"""The SDK's wait at the end of a program, whose time grows with the square of its outputs.

`pulumi.runtime.stack.wait_for_rpcs` wakes at each output that is there and looks at all that are
not: a third of the program's time at 200 resources, more at 2,000. It may as well sleep until all
are there, or one failed.
"""

import asyncio
from types import ModuleType

from pulumi.runtime import stack


class _Asyncio(ModuleType):
    """asyncio, in which whoever waits for the first to complete waits for all, or a failure."""

    FIRST_COMPLETED = asyncio.FIRST_EXCEPTION

    def __getattr__(self, name: str) -> object:
        return getattr(asyncio, name)


def await_outputs_together() -> None:
    """Let programs of this process wait for their outputs together."""
    setattr(stack, "asyncio", _Asyncio("asyncio"))  # noqa: B010 - the SDK's module does not export it

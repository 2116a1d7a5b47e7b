"""Serves the pipelines of a stack's world until it is stopped.

    python -m emulator.runtime .sandbox/dev --port 8085

Its first line tells where Google's APIs are, as JSON.
"""

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

from emulator.runtime.emulator import emulate
from sandbox.world import World


async def _serve(home: Path, port: int, *, skip: bool) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, stopped.set)
    with World(home / "world.db") as world:
        async with emulate(world, home, skip=skip, port=port) as emulator:
            urls = {each.service.name: each.url for each in emulator.hosted}
            print(json.dumps({"apis": emulator.apis, "services": urls}), flush=True)
            await stopped.wait()


def main() -> int:
    """Serve; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path, help="the stack's folder on the sandbox")
    parser.add_argument("--port", type=int, default=0, help="of Google's APIs")
    parser.add_argument("--skip", action="store_true", help="leave waits out")
    chosen = parser.parse_args()
    asyncio.run(_serve(chosen.home, chosen.port, skip=chosen.skip))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`python -m sandbox.providers --world PATH`: the sandbox cloud for the plain `pulumi` CLI.

Prints `PULUMI_DEBUG_PROVIDERS=...` first, then serves until interrupted.
"""

import argparse
import signal
import sys
import threading
from pathlib import Path

from sandbox.providers import ServeError, serve
from sandbox.world import World, WorldError


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM. Return 0, or 1 when the world or a port cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.providers", description=__doc__)
    parser.add_argument("--world", type=Path, required=True, help="the file the cloud lives in")
    chosen = parser.parse_args(arguments)
    stopped = threading.Event()

    def stop(*_: object) -> None:
        stopped.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    try:
        with World(chosen.world) as world, serve(world) as servers:
            print(f"PULUMI_DEBUG_PROVIDERS={servers.debug_providers}", flush=True)
            stopped.wait()
    except (WorldError, ServeError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

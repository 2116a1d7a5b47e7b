"""Runs one measured operation in this process: `python -m bench.run_one '<json>'`."""

import argparse
import json
import os
import runpy
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import components  # noqa: F401 -- sets the garbage collector, which is not what is compared
from launcher.engine import open_stack, platform_program
from launcher.images import push_placeholders
from launcher.paths import ROOT, StackPaths, checked
from launcher.policy_server import policy_server
from sandbox.providers import serve
from sandbox.world import World


def bare_program() -> None:
    """Run the bare program as the platform's own is run."""
    runpy.run_path(str(ROOT / "bench" / "bare_program.py"), run_name="__main__")


def main() -> None:
    """Take a `Case` as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", type=json.loads, help="a Case as JSON")
    wanted: dict[str, Any] = parser.parse_args().case
    places = StackPaths(
        stack=wanted["stack"], config=Path(wanted["config"]), home=Path(wanted["home"])
    )
    places.prepare()
    program = platform_program
    if wanted["recipe"]:
        os.environ["INFERENCE_BARE_RECIPE"] = wanted["recipe"]
        program = bare_program
    options: dict[str, Any] = {}
    with World(places.world) as world, serve(world) as servers, ExitStack() as open_:
        push_placeholders(checked(places), world)
        stack = open_stack(places, servers.debug_providers, program)
        if wanted["policies"]:
            served = policy_server(stack, places, places.policy_packs())
            options["policy_packs"] = open_.enter_context(served)
        getattr(stack, wanted["operation"])(**options)


if __name__ == "__main__":
    main()

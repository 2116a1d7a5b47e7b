"""Runs one measured operation in this process: `python -m bench.run_one '<json>'`."""

import json
import sys
from pathlib import Path
from typing import Any

from bench.bare import program_of
from sandbox.launcher.engine import open_stack, platform_program
from sandbox.launcher.places import StackPlaces
from sandbox.providers import serve
from sandbox.world import World


def main() -> None:
    """Takes stack, config, home, operation, recipe (or null) and policies (bool) as JSON."""
    wanted: dict[str, Any] = json.loads(sys.argv[1])
    places = StackPlaces(
        stack=wanted["stack"], config=Path(wanted["config"]), home=Path(wanted["home"])
    )
    places.prepare()
    program = program_of(Path(wanted["recipe"])) if wanted["recipe"] else platform_program
    options: dict[str, Any] = {}
    if wanted["policies"]:
        packs = places.policy_configs()
        options["policy_packs"] = [str(folder) for folder, _ in packs]
        options["policy_pack_configs"] = [str(file) for _, file in packs]
    with World(places.world) as world, serve(world) as servers:
        stack = open_stack(places, servers.debug_providers, program)
        getattr(stack, wanted["operation"])(**options)


if __name__ == "__main__":
    main()

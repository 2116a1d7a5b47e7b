"""The policy packs, served to the engine by this process."""

from collections.abc import Generator
from contextlib import contextmanager

from pulumi import automation

from launcher.paths import StackPaths


@contextmanager
def policy_server(
    stack: automation.Stack, places: StackPaths, folders: list[str]
) -> Generator[list[str]]:
    """Yield the folders of the packs, which the engine finds served."""
    # The rules take longer to load than a destruction wants to wait for them.
    from policies.engine.packs import ALL
    from policies.engine.server import serving

    with serving(ALL, places.environment) as port:
        stack.workspace.env_vars = {**stack.workspace.env_vars, "POLICY_PORT": str(port)}
        yield folders

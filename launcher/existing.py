"""What a stack refers to and others made, put into its sandbox cloud: `sandbox.<stack>.yaml`."""

from pathlib import Path

from catalog import strict_yaml
from launcher.paths import StackPaths
from launcher.problem import LaunchError
from sandbox import existing
from sandbox.existing import Existing, ExistingError
from sandbox.world import World


def read_existing(file: Path) -> list[Existing]:
    """Return what a file says is there; nothing where there is no file.

    Raises LaunchError with every mistake in it.
    """
    try:
        return existing.read(strict_yaml.load(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return []
    except (strict_yaml.YamlError, UnicodeDecodeError) as problem:
        raise LaunchError(f"{file.name}: can't be read as YAML: {problem}; fix that") from problem
    except ExistingError as problem:
        raise _refused(file, problem) from problem


def put_existing(places: StackPaths, world: World) -> None:
    """Let the sandbox cloud hold what the stack's file says is there, and nothing of it that the
    file doesn't say any more.

    What the stack's state holds stays. Raises LaunchError with every mistake in the file.
    """
    held = {(each["type"], each.get("id", "")) for each in places.recorded()}
    try:
        existing.put(world, read_existing(places.existing), held)
    except ExistingError as problem:
        raise _refused(places.existing, problem) from problem


def _refused(file: Path, problem: ExistingError) -> LaunchError:
    return LaunchError("\n".join(f"{file.name}: {line}" for line in problem.lines))

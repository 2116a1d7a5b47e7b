"""Where things are: the project's files and the folder of a stack on the sandbox."""

import difflib
import json
import os
import secrets
import shutil
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from catalog.config_folder import CALLED, config_folder, make_command
from catalog.limits import LimitError
from catalog.problems import shown
from config.errors import ConfigError
from config.fields import ENVIRONMENT_NAME
from config.load import from_file
from config.platform import Platform
from launcher.problem import LaunchError

ROOT = Path(__file__).resolve().parent.parent
PROJECT = "inference"
FAULTS = "INFERENCE_FAULTS"
"""Names a plan of faults elsewhere than in the stack's folder."""
VENV_BIN = ROOT / ".venv" / "bin"


@dataclass(frozen=True)
class StackPaths:
    """The paths of one stack. `home` holds everything the sandbox knows of it."""

    stack: str
    config: Path
    home: Path

    @property
    def existing(self) -> Path:
        """The file of what the sandbox cloud holds before anything is made; it may be missing."""
        return self.config.with_name(f"sandbox.{self.stack}.yaml")

    @property
    def imports(self) -> Path:
        """The file of what `import` takes over."""
        return self.config.with_name(f"import.{self.stack}.yaml")

    @property
    def faults(self) -> Path:
        """The plan of faults that the sandbox cloud plays; it may be missing."""
        return Path(os.environ.get(FAULTS) or self.home / "faults.yaml")

    @property
    def world(self) -> Path:
        """The sandbox cloud's resources, an SQLite database."""
        return self.home / "world.db"

    @property
    def state(self) -> Path:
        """The engine's file backend."""
        return self.home / "state"

    @property
    def work(self) -> Path:
        """The engine's working folder."""
        return self.home / "work"

    @property
    def locks(self) -> Path:
        """The folder of the file backend's locks on this stack."""
        return self.state / ".pulumi" / "locks" / "organization" / PROJECT / self.stack

    @property
    def checkpoint(self) -> Path:
        """The file that holds the stack's state."""
        return self.state / ".pulumi" / "stacks" / PROJECT / f"{self.stack}.json"

    @property
    def unsettled(self) -> Path:
        """There while the sandbox cloud may hold what the state doesn't: after a killed run too."""
        return self.home / "unsettled"

    def log_of(self, operation: str) -> Path:
        """Return the file that keeps every line of the last such operation."""
        return self.home / "logs" / f"{operation}.log"

    def recorded(self) -> list[dict[str, Any]]:
        """Return the resources the state holds, without the engine's own."""
        if not self.checkpoint.exists():
            return []
        latest: dict[str, Any] = read_state(self.checkpoint)["checkpoint"].get("latest") or {}
        resources: list[dict[str, Any]] = latest.get("resources", [])
        return [each for each in resources if not each["type"].startswith("pulumi:")]

    def missing(self, when: str) -> LaunchError:
        """Return the error of a stack that isn't there yet, or any more."""
        return LaunchError(
            f"{self.stack} isn't there on the sandbox cloud {when}: run "
            f"`{make_command(f'up STACK={self.stack}')}` first"
        )

    def prepare(self) -> None:
        """Make the folders. Raises LaunchError if they can't be written."""
        try:
            for folder in (self.home, self.state, self.work):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Where there is no such folder, the engine doesn't write all it does into a log of its
            # own, encrypted, which takes two fifths of its time.
            logs = self.home / "pulumi" / "logs"
            shutil.rmtree(logs, ignore_errors=True)
            logs.parent.mkdir(exist_ok=True)
            logs.touch()
        except OSError as problem:
            raise LaunchError(
                f"{self.home} can't be written ({problem.strerror}): "
                "give write access or set INFERENCE_SANDBOX to another folder"
            ) from problem

    @property
    def config_option(self) -> list[str]:
        """The option that tells Pulumi's commands of a stack file elsewhere than it looks."""
        return [] if self.config.parent == ROOT else ["--config-file", str(self.config)]

    @property
    def passphrase_file(self) -> Path:
        """What the secrets in the state are encrypted with."""
        return self.home / "passphrase"

    def passphrase(self) -> str:
        """Return the passphrase that encrypts secrets in the sandbox's state: made once, mode
        0600."""
        file = self.passphrase_file
        if not file.exists():
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as target:
                target.write(secrets.token_urlsafe(32))
        return file.read_text()

    @property
    def environment(self) -> Path:
        """The file of what the policies allow. Raises LaunchError if it can't be one."""
        # The rules take longer to load than a refused config needs to be told.
        from policies.engine.config import PolicyConfigError
        from policies.engine.environment import file_of

        try:
            return file_of(self.stack)
        except PolicyConfigError as problem:
            raise LaunchError(str(problem)) from problem

    def policy_packs(self) -> list[str]:
        """Return the folders of the policy packs. Raises LaunchError if they couldn't judge."""
        from policies.engine.config import PolicyConfigError
        from policies.engine.environment import load

        try:
            load(self.environment)
        except PolicyConfigError as problem:
            raise LaunchError(str(problem)) from problem
        # One process holds the rules of every pack: packs start one after the other.
        return [str(ROOT / "policies" / "all")]


def read_state(file: Path) -> Any:
    """Return what a JSON file of the engine holds, not to be changed.

    Raises OSError or ValueError if it can't be read.
    """
    return _parsed(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _parsed(file: Path, _changed_ns: int) -> Any:
    return json.loads(file.read_text())


def stacks() -> list[str]:
    """Return the names of the stacks that have a config file.

    Raises NotADirectoryError if what should hold them is no folder.
    """
    return sorted(path.name.split(".")[1] for path in config_folder().glob("Pulumi.*.yaml"))


def stack_paths(stack: str) -> StackPaths:
    """Return the paths of `stack`. Raises LaunchError if it has no config file."""
    config = config_folder() / f"Pulumi.{stack}.yaml"
    if stack not in stacks():
        close = difflib.get_close_matches(stack, stacks(), n=1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        if problem := name_problem(stack):
            raise LaunchError(f"STACK: {problem}; stacks: {', '.join(stacks()) or 'none yet'}")
        raise LaunchError(
            f"no stack named {stack!r}{hint}: there is no {shown_file(config)}; stacks: "
            f"{', '.join(stacks()) or 'none yet'}. To add one: "
            f"{make_command(f'new ENV={stack} FROM=dev')}"
        )
    return StackPaths(stack=stack, config=config, home=stack_folder(stack))


def name_problem(name: str) -> str:
    """Return what is wrong with a stack's name; empty where it can be one."""
    try:
        ENVIRONMENT_NAME.check(name)
    except LimitError as problem:
        return f"found {shown(name)}; {problem}"
    return ""


def stack_folder(stack: str) -> Path:
    """Return the folder of what the sandbox knows of a stack, whether it has a file or not.

    It is beside the stack's file: stacks of one name in two folders have nothing in common.
    """
    home = os.environ.get("INFERENCE_SANDBOX") or config_folder() / ".sandbox"
    return Path(home).resolve() / stack


def checked(places: StackPaths) -> Platform:
    """Return the stack's config. Raises LaunchError with every mistake in it."""
    try:
        return from_file(places.config)
    except ConfigError as problem:
        raise LaunchError(str(problem)) from problem


def shown_file(file: Path) -> str:
    """Return a file's path as a message has it: one of the project from its folder, one of the
    config beside it from where make was called, where that is shorter."""
    if file.is_relative_to(ROOT):
        return str(file.relative_to(ROOT))
    own = config_folder()
    if not file.is_relative_to(own):
        return str(file)
    return min(os.path.relpath(file, os.environ.get(CALLED, own)), str(file), key=len)


def engine_root() -> Path:
    """Return the folder whose bin/pulumi is the engine. Raises LaunchError if set-up has not
    run."""
    root = ROOT / ".engine"
    if not (root / "bin" / "pulumi").exists():
        raise LaunchError(f"the Pulumi engine isn't set up: run `{make_command('setup')}`")
    return root


def plain_pulumi() -> str:
    """Return the ordinary pulumi command on PATH. Raises LaunchError if there is none."""
    found = shutil.which("pulumi")
    if found is None:
        raise LaunchError(
            "CLOUD=gcp hands over to the `pulumi` command, and none is on PATH: install the "
            "Pulumi CLI, log in with `gcloud auth application-default login` and run it again"
        )
    return found

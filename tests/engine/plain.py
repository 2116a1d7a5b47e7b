"""The ordinary `pulumi` command on the sandbox cloud, in a project of its own."""

import os
import shutil
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from launcher.paths import ROOT

LANGUAGE_HOSTS = ROOT / ".engine" / "language-host"


@contextmanager
def served(world: Path) -> Generator[str]:
    """Yield the providers of a sandbox cloud, served by a process of its own."""
    command = [sys.executable, "-m", "sandbox.providers", "--world", str(world)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip().removeprefix("PULUMI_DEBUG_PROVIDERS=")
        finally:
            process.terminate()


def need_host(language: str) -> None:
    """Skip the test, and say so, where a language's host is not there and can't be built."""
    if shutil.which(f"pulumi-language-{language}") is not None:
        return
    put = subprocess.run(
        [sys.executable, "tools/language_host.py", language],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if put.returncode != 0:
        pytest.skip(f"NOT RUN: no {language} language host: {put.stderr}; install the Pulumi CLI")


@dataclass(frozen=True)
class Plain:
    """A project, and what its commands find."""

    project: Path
    providers: str
    plugins: Sequence[Path] = (LANGUAGE_HOSTS,)
    """Folders of further programs of the engine."""

    @property
    def environment(self) -> Mapping[str, str]:
        """What a command finds in its environment."""
        home = self.project.parent
        (home / "state").mkdir(exist_ok=True)
        folders = [ROOT / ".venv" / "bin", ROOT / ".engine" / "bin", *self.plugins]
        return {
            **os.environ,
            "PATH": os.pathsep.join([*map(str, folders), os.environ["PATH"]]),
            "PULUMI_BACKEND_URL": (home / "state").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "plain",
            "PULUMI_DEBUG_PROVIDERS": self.providers,
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_HOME": str(home / "pulumi"),
        }

    def __call__(self, *arguments: str) -> str:
        """Run `pulumi`; return what it prints. Fails the test where it fails."""
        return self.run("pulumi", *arguments, "--non-interactive", "--color", "never")

    def run(self, *command: str, **environment: str) -> str:
        """Run a command in the project; return what it prints. Fails the test where it fails."""
        done = subprocess.run(
            command,
            cwd=self.project,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

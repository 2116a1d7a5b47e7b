"""The real engine against the sandbox cloud, in a folder of its own for each test module."""

import json
import shutil
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from launcher.paths import ROOT, StackPaths

ENGINE = ROOT / ".engine" / "bin" / "pulumi"
PATIENCE_SECONDS = 120


@pytest.fixture(scope="session", autouse=True)
def engine() -> None:
    if not ENGINE.exists():
        pytest.fail("the Pulumi engine isn't set up: run `make setup`", pytrace=False)


@dataclass(frozen=True)
class _Places(StackPaths):
    """Where a rehearsal is: beside its home, it may have an environment of its own."""

    @property
    def environment(self) -> Path:
        own = self.home.parent / "environment.yaml"
        return own if own.exists() else super().environment


class Rehearsal:
    """A stack in a folder of its own, whose config a test may change."""

    def __init__(self, stack: str, folder: Path) -> None:
        self.config = folder / f"Pulumi.{stack}.yaml"
        if not self.config.exists():
            shutil.copyfile(ROOT / f"Pulumi.{stack}.yaml", self.config)
        self.places = _Places(stack=stack, config=self.config, home=folder / stack)

    def edit(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Apply `change` to the `config` mapping of the stack's file."""
        document = yaml.safe_load(self.config.read_text())
        change(document["config"])
        self.config.write_text(yaml.safe_dump(document, sort_keys=False))

    def add_existing(self, **types: list[dict[str, Any]]) -> None:
        """Let resources be there in the sandbox, by type with `__` for its dot."""
        document = {"existing": {name.replace("__", "."): each for name, each in types.items()}}
        self.places.existing.write_text(yaml.safe_dump(document))

    def allow_unscreened(self, *models: str) -> None:
        """Name models that the policies let go without a guardrail."""
        self.limit("ai-guardrail-on-every-path", unscreenedModels=list(models))

    def allow_deletion(self) -> None:
        """Let the policies pass what is not protected from deletion."""
        self.limit("rel-deletion-protection", level="disabled")

    def limit(self, rule: str, **changes: object) -> None:
        """Set the level or limits of a rule in the stack's own copy of its environment."""
        document = yaml.safe_load(self.places.environment.read_text())
        given = document["rules"].get(rule, {})
        document["rules"][rule] = ({"level": given} if isinstance(given, str) else given) | changes
        (self.places.home.parent / "environment.yaml").write_text(yaml.safe_dump(document))

    def deployment(self) -> dict[str, Any]:
        """Return the state as the engine keeps it."""
        return json.loads(self.places.checkpoint.read_text())["checkpoint"]["latest"]

    def resources(self, of_type: str | None = None) -> list[dict[str, Any]]:
        """Return the resources in the state, without the engine's own."""
        return [
            resource
            for resource in self.deployment().get("resources", [])
            if not resource["type"].startswith("pulumi:")
            and (of_type is None or resource["type"] == of_type)
        ]


@pytest.fixture(scope="module")
def rehearsal_of(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[str], Rehearsal]]:
    def make(stack: str) -> Rehearsal:
        return Rehearsal(stack, tmp_path_factory.mktemp(stack))

    yield make


def until_programs_end() -> None:
    """Wait for programs whose engine is gone: they would speak to that of the next run."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while any(
        frame.f_code.co_filename.endswith("automation/_server.py") and frame.f_code.co_name == "run"
        for top in sys._current_frames().values()  # noqa: SLF001 - no other way
        for frame, _ in traceback.walk_stack(top)
    ):
        assert time.monotonic() < deadline
        time.sleep(0.1)


FAKE = """#!/bin/sh
echo "$(basename "$0") $*" >> "{log}"
case "$(basename "$0") $*" in
{answers}
esac
"""


@pytest.fixture
def fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Put programs with such answers on an otherwise empty PATH; return the log of their calls."""
    log = tmp_path / "log"
    log.touch()
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in ("sh", "basename"):
        (folder / tool).symlink_to(Path("/usr/bin") / tool)
    monkeypatch.setenv("PATH", str(folder))

    def put(*names: str, **answers: str) -> Path:
        cases = "\n".join(f"*{word}*) {answer};;" for word, answer in answers.items())
        for name in names:
            file = folder / name
            file.write_text(FAKE.format(log=log, answers=cases))
            file.chmod(0o755)
        return log

    return put

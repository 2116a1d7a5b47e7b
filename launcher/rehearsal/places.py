"""Where a rehearsal is: copies of all that it changes, in a folder of its own."""

import shutil
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from catalog import strict_yaml
from config.load import from_mapping
from config.platform import Platform
from config.stack_file import values_of
from launcher.existing import read_existing
from launcher.paths import ROOT, StackPaths
from sandbox.existing import TOP, id_of
from sandbox.world import World

Config = Mapping[str, Any]
RECORDED: Final = ROOT / "tests" / "upgrades"
"""The folder of the states that releases recorded."""


@dataclass(frozen=True)
class RehearsalPaths(StackPaths):
    """The paths of a stack that is a copy: its policies are beside its config."""

    @property
    def environment(self) -> Path:
        """The file of what the policies allow, in the rehearsal."""
        return self.config.with_name("environment.yaml")

    @property
    def faults(self) -> Path:
        """The plan of faults, the rehearsal's own."""
        return self.home / "faults.yaml"

    @property
    def project(self) -> str:
        """The id of the project, also of a config that today's keys don't allow any more."""
        document: Any = strict_yaml.load(self.config.read_text(encoding="utf-8"))
        config = document["config"]
        return str((config.get("project") or config.get("inference:project") or {}).get("id"))

    def config_of(self) -> Config:
        """Return the keys below `config:`, ours without a namespace. Raises ConfigError."""
        document: Any = strict_yaml.load(self.config.read_text(encoding="utf-8"))
        others = {
            key: value
            for key, value in document["config"].items()
            if ":" in key and not key.startswith("inference:")
        }
        return {**others, **values_of(self.config)}

    def checked(self, config: Config) -> Platform:
        """Return the platform of a config. Raises ConfigError with every mistake in it."""
        ours = {key: value for key, value in config.items() if ":" not in key}
        return from_mapping(ours, self.config.name)

    def put_config(self, config: Config) -> None:
        """Let the stack have another config."""
        document: Any = strict_yaml.load(self.config.read_text(encoding="utf-8"))
        text = yaml.safe_dump({**document, "config": dict(config)}, sort_keys=False)
        self.config.write_text(text, encoding="utf-8")

    def allow(self, rules: Mapping[str, Any]) -> None:
        """Let the policies allow more, by rule: in the copy alone."""
        document: Any = strict_yaml.load(self.environment.read_text(encoding="utf-8"))
        document["rules"] = {**(document.get("rules") or {}), **rules}
        self.environment.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def earlier(places: RehearsalPaths, folder: Path) -> RehearsalPaths | None:
    """Return a copy of the stack as the newest release that recorded one left it, or None."""
    archives = sorted(RECORDED.glob(f"*-{places.stack}.tar.xz"))
    if not archives:
        return None
    with tarfile.open(archives[-1]) as content:
        content.extractall(folder)  # noqa: S202 - files of this repository
    copy = RehearsalPaths(places.stack, folder / places.config.name, folder / places.stack)
    shutil.copyfile(places.environment, copy.environment)
    _copy_existing(places, copy)
    return copy


def copied(places: StackPaths, folder: Path, config: Path | str = "") -> RehearsalPaths:
    """Return a stack that isn't made yet, after another's files; `config` is the file, or its text,
    instead of its own."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    copy = RehearsalPaths(places.stack, folder / places.config.name, folder / "home")
    if isinstance(config, str) and config:
        copy.config.write_text(config, encoding="utf-8")
    else:
        shutil.copyfile(config or places.config, copy.config)
    shutil.copyfile(places.environment, copy.environment)
    _copy_existing(places, copy)
    return copy


def _copy_existing(places: StackPaths, copy: RehearsalPaths) -> None:
    """Let there be in the copy's cloud what the stack refers to, and not what it took over: that is
    its own from then on, and the copy makes it."""
    if not places.existing.exists():
        return
    if not places.imports.exists():
        shutil.copyfile(places.existing, copy.existing)
        return
    imported: Any = strict_yaml.load(places.imports.read_text(encoding="utf-8"))
    ids = {id_ for names in imported["import"].values() for id_ in names.values()}
    found = read_existing(places.existing)
    with World(copy.config.with_name("ids.db")) as world:
        gone = {each.path for each in found if id_of(world, each) in ids}
    document: Any = strict_yaml.load(places.existing.read_text(encoding="utf-8"))
    left = {
        type_: [each for index, each in enumerate(every) if (TOP, type_, index) not in gone]
        for type_, every in document[TOP].items()
    }
    copy.existing.write_text(yaml.safe_dump({TOP: left}, sort_keys=False), encoding="utf-8")

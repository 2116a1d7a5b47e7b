"""A new environment: another one's stack file and policies, with names and ranges of its own."""

import ipaddress
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from catalog.config_folder import RELEASE, config_folder, make_command
from config.errors import ConfigError
from config.load import from_file
from launcher.backend import without_encryption
from launcher.console import show
from launcher.existing import read_existing
from launcher.paths import name_problem, shown_file, stack_paths, stacks
from launcher.problem import LaunchError
from policies.engine.config import PolicyConfigError
from policies.engine.environment import ENVIRONMENTS, folder, load

Network = ipaddress.IPv4Network
_CIDR: Final = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}/\d{1,2}\b")
_PRIVATE: Final = tuple(map(Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
_SCHEMA: Final = re.compile(r"(?<=^# yaml-language-server: \$schema=)\S+")
_BLOCK: Final = 16
"""Ranges within one such block stay together."""


def new_environment(name: str, source: str) -> None:
    """Write a stack file and a policy environment for `name` after those of `source`, and what its
    sandbox holds.

    Raises LaunchError, and writes nothing, if they are there or would not be valid.
    """
    _check_name(name)
    own = config_folder()
    stack, policies = own / f"Pulumi.{name}.yaml", folder() / f"{name}.yaml"
    existing = own / f"sandbox.{name}.yaml"
    for file in (stack, policies, existing):
        if file.exists():
            raise LaunchError(f"{shown_file(file)} is there already: choose another ENV")
    others = [each.read_text(encoding="utf-8") for each in own.glob("Pulumi.*.yaml")]
    old, allowed = _sources(source)
    outside = old.with_name(f"sandbox.{source}.yaml")
    texts = {
        stack: environment_text(_moved_text(old, stack), source, name, others),
        policies: renamed(_moved_text(allowed, policies), source, name),
    }
    if outside.exists():
        texts[existing] = renamed(_moved_text(outside, existing), source, name)
    _check(texts)
    for file, text in texts.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        show(f"wrote {shown_file(file)}")
    project = from_file(stack).project.id
    show(
        f"Next: put the project's id into both files, where it isn't {project}, then "
        f"{make_command(f'preview STACK={name}')}"
    )
    if own == RELEASE:
        show("Then make format, which adds it to the tables of the policies, as make lint asks")


def _check_name(name: str) -> None:
    if problem := name_problem(name):
        raise LaunchError(f"ENV: {problem}, such as {make_command('new ENV=staging')}")


def _sources(source: str) -> tuple[Path, Path]:
    """Return the stack file and the policies of an environment, else of the sample of that name."""
    sample = RELEASE / f"Pulumi.{source}.yaml", ENVIRONMENTS / f"{source}.yaml"
    if source not in stacks() and all(each.exists() for each in sample):
        return sample
    old = stack_paths(source)
    return old.config, old.environment


def _moved_text(source: Path, to: Path) -> str:
    """Return a file's text with the path of its schema as it is from another place."""
    text = source.read_text(encoding="utf-8")
    return _SCHEMA.sub(lambda found: os.path.relpath(source.parent / found[0], to.parent), text)


def environment_text(text: str, source: str, name: str, others: Iterable[str]) -> str:
    """Return a stack file's text as another environment's, with ranges that none of the others
    has."""
    taken = [network for other in others for network in _networks(other)]
    moved = _moved(_networks(text), taken)
    own = _CIDR.sub(lambda found: moved.get(found[0], found[0]), renamed(text, source, name))
    return without_encryption(own)


def renamed(text: str, source: str, name: str) -> str:
    """Return a text with an environment's name in the place of another's, as a word or in an id.

    The end of a domain, such as that of Artifact Registry, is no environment's name.
    """
    word = re.escape(source)
    return re.sub(rf"(?<![A-Za-z0-9])(?:(?<![.]){word}|{word}(?=[.]))(?![A-Za-z0-9])", name, text)


def _networks(text: str) -> list[Network]:
    """Return the private ranges that a text names."""
    found = [Network(each, strict=False) for each in dict.fromkeys(_CIDR.findall(text))]
    return [each for each in found if _pool(each) is not None]


def _pool(network: Network) -> Network | None:
    return next((each for each in _PRIVATE if network.subnet_of(each)), None)


def _moved(networks: Iterable[Network], taken: list[Network]) -> Mapping[str, str]:
    """Return another range for each: blocks move to the next free one, and keep their inside."""
    taken = list(taken)
    blocks: dict[Network, Network] = {}
    moved: dict[str, str] = {}
    for network in networks:
        block = network if network.prefixlen < _BLOCK else network.supernet(new_prefix=_BLOCK)
        if block not in blocks:
            blocks[block] = _next_free(block, taken)
            taken.append(blocks[block])
        start = int(blocks[block].network_address) - int(block.network_address)
        moved[str(network)] = f"{network.network_address + start}/{network.prefixlen}"
    return moved


def _next_free(block: Network, taken: Iterable[Network]) -> Network:
    pool = _pool(block) or block
    every = list(pool.subnets(new_prefix=max(block.prefixlen, pool.prefixlen)))
    at = every.index(block)
    for candidate in (*every[at:], *every[:at]):
        if not any(candidate.overlaps(each) for each in taken):
            return candidate
    raise LaunchError(
        f"no range of the size of {block} is free in {pool}: give the environment its ranges by "
        "hand, in a copy of the stack file"
    )


def _check(texts: Mapping[Path, str]) -> None:
    """Raise LaunchError if what is to be written could not be used."""
    with TemporaryDirectory() as folder:
        copies = [Path(folder) / file.name for file in texts]
        for copy, text in zip(copies, texts.values(), strict=True):
            copy.write_text(text, encoding="utf-8")
        stack, policies, *more = copies
        try:
            from_file(stack)
            load(policies)
            for existing in more:
                read_existing(existing)
        except (ConfigError, PolicyConfigError, LaunchError) as problem:
            raise LaunchError(f"nothing was written:\n{problem}") from problem

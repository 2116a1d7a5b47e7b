"""Containers of pipelines and services: secrets that exist."""

from collections.abc import Iterator

from catalog.problems import KeyPath, Problem, did_you_mean, joined, shown
from config.containers import Program
from config.known import Known
from config.secrets import name_of


def check_secrets(known: Known, path: KeyPath, container: Program) -> Iterator[Problem]:
    """Check that the secrets it reads are there."""
    names = known.names.get("secrets", set())
    for key, uses in (("secrets", container.secrets), ("secret_files", container.secret_files)):
        for place, use in uses.items():
            if name_of(use) not in names:
                yield Problem(
                    (*path, key, place),
                    shown(use),
                    f"a name of secrets: {joined(names)}",
                    did_you_mean(name_of(use), names, "add it to secrets"),
                )

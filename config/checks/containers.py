"""Containers: secrets that exist, and variables that are their own."""

from collections.abc import Iterator, Sequence

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


def check_variables(
    path: KeyPath, container: Program, own: Sequence[str], prefixes: Sequence[str] = ()
) -> Iterator[Problem]:
    """Check that it names no variable that the platform sets."""
    for key, variables in (("environment", container.environment), ("secrets", container.secrets)):
        for variable in variables:
            if variable in own or variable.startswith(tuple(prefixes)):
                more = f", {joined(prefixes)}..." if prefixes else ""
                yield Problem(
                    (*path, key, variable),
                    f"the name {shown(variable)}",
                    f"names other than {joined(own)}{more}",
                    "remove it: the platform sets it",
                )

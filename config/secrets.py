"""Secrets: what Secret Manager holds for the containers of pipelines and services."""

from typing import Annotated

from catalog.limits import Text
from config.fields import Settings

SecretName = Annotated[
    str,
    Text("[A-Za-z][A-Za-z0-9_-]{0,99}", "1 to 100 letters, digits, hyphens or underscores"),
]
SecretUse = Annotated[
    str,
    Text(
        "[A-Za-z][A-Za-z0-9_-]{0,99}(?::[1-9][0-9]{0,9})?",
        "the name of a secret (a key of secrets), with a colon and a number for a version other"
        " than the latest",
        "write it like llm-api-key or llm-api-key:3",
    ),
]


def name_of(use: str) -> str:
    """Return the secret's name in `name` or `name:version`."""
    return use.partition(":")[0]


def version_of(use: str) -> str:
    """Return the version in `name:version`; latest where there is none."""
    return use.partition(":")[2] or "latest"


class Secret(Settings):
    """A secret of the project in Secret Manager. Its value is added by hand, never seen here."""

    existing: bool = False
    """Whether it is there already; else the stack makes it, and what uses it starts once it
    has a value."""

"""Who is granted something: accounts of Google, or a pipeline of the platform."""

from typing import Annotated

from catalog.limits import Text
from catalog.limits.names import ANYONE

Principal = Annotated[
    str,
    Text(
        r"(?:user|group|serviceAccount):[^\s:@*]+@[a-z0-9.-]+|" + ANYONE + r"|[a-z][a-z0-9-]{0,62}",
        "the name of a pipeline, user:, group: or serviceAccount: with an e-mail address, or"
        " principal://, principalSet://",
        "write it like group:analysts@acme.com",
    ),
]
"""A pipeline is meant by its bare name: the service account its service runs as."""


def is_pipeline(principal: str) -> bool:
    """Return whether the principal is the name of a pipeline."""
    return ":" not in principal

"""The stack's own projects, by the names an environment gives and the numbers that go with them."""

import re
from collections.abc import Sequence
from typing import Final

from resources.properties import text
from resources.resource import Resource, stack_of

_ENABLED: Final = "gcp:projects/service:Service"
_AGENT: Final = "gcp:projects/serviceIdentity:ServiceIdentity"
_NUMBER: Final = re.compile(r"service-([0-9]{1,20})@")
_PROJECT: Final = re.compile(r"(?:^|/)projects/([^/]+)")


def own_projects(resources: Sequence[Resource], named: Sequence[str] = ()) -> frozenset[str]:
    """Return the IDs and the numbers, as far as known, of the projects named, or where none is, of
    those that the stack enables APIs in."""
    stack = stack_of(resources)
    enabled = (text(each.props, "project") for each in stack.by_type.get(_ENABLED, ()))
    ids = set(named) or {each for each in enabled if isinstance(each, str)}
    numbers: set[str] = set()
    for each in stack.by_type.get(_AGENT, ()):
        email = text(each.props, "email")
        match = _NUMBER.match(email) if isinstance(email, str) else None
        if match and text(each.props, "project") in ids:
            numbers.add(match[1])
    return frozenset(ids | numbers)


def project_of(name: str) -> str | None:
    """Return the project in a full resource name, such as projects/a/topics/b."""
    match = _PROJECT.search(name)
    return match[1] if match else None

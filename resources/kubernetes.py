"""Kubernetes resources as programs make them: objects, lists of objects, and patches.

`kubernetes:apps/v1:DeploymentList` holds objects in `items`, `kubernetes:apps/v1:DeploymentPatch`
changes an object that somebody else made. What a `kubernetes:yaml` or Helm version 4 resource reads
is registered as objects of its own; a Helm release keeps its objects to itself.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from resources.properties import UNKNOWN, Props, entries

_TOKEN: Final = re.compile(
    r"kubernetes:(?P<group>[a-z0-9.-]+)/v[a-z0-9]+:(?P<kind>[A-Za-z0-9]+?)(?P<form>List|Patch)?"
)


@cache
def kind_of(token: str) -> str:
    """Return `<group>/<kind>` without version, such as apps/Deployment; empty for anything else."""
    match = _TOKEN.fullmatch(token)
    return f"{match['group']}/{match['kind']}" if match else ""


@cache
def is_patch(token: str) -> bool:
    """Return whether it changes an object of somebody else: what it leaves out stays as it is."""
    match = _TOKEN.fullmatch(token)
    return match is not None and match["form"] == "Patch"


def objects(token: str, props: Props) -> Iterator[object]:
    """Yield the object, or each of a list; an item may be `UNKNOWN`."""
    match = _TOKEN.fullmatch(token)
    if match is None or match["form"] != "List":
        yield props
        return
    items = entries(props, "items")
    if items is UNKNOWN:
        yield UNKNOWN
    yield from items if isinstance(items, tuple) else ()

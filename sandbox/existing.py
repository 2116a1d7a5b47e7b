"""What is there before anything is made: resources of others, told by their properties.

They stand in a mapping from a type to a list, each resource by the inputs of its type, and checked
as a program's are. `id` is for those whose id the cloud chose.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeAlias, cast

from catalog.by_type import EXAMPLE, entries_by_type, short_name
from catalog.problems import KeyPath, Problem, did_you_mean, shown, shown_path
from sandbox.errors import CloudError
from sandbox.gcp.identifiers import CHOSEN, id_format, left_out
from sandbox.providers.gcp import GcpProvider, failures_of
from sandbox.sdk_types import ResourceType, resource_type, tokens
from sandbox.values import Values, storable
from sandbox.world import EXISTING, World

TOP: Final = "existing"


_Found: TypeAlias = Iterator["Existing | Problem | str"]


class ExistingError(ValueError):
    """Resources that can't be put into a world. `lines` say path and reason of each mistake."""

    def __init__(self, lines: Collection[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = tuple(lines)


@dataclass(frozen=True)
class Existing:
    """One resource; `id` is '' where the inputs say it, `path` is its place in the document."""

    type: ResourceType
    inputs: Values
    id: str
    path: KeyPath


def read(document: object) -> list[Existing]:
    """Return the resources of a document, in its order. Raises ExistingError with every mistake."""
    found: list[Existing] = []
    lines: list[str] = []
    for each in _read(document):
        if isinstance(each, Existing):
            found.append(each)
        else:
            lines.append(str(each))
    if lines:
        raise ExistingError(lines)
    return found


def put(world: World, wanted: Collection[Existing], kept: Collection[tuple[str, str]]) -> None:
    """Let what others made be what is wanted; `kept` are types and ids that a state holds.

    Raises ExistingError for what the cloud itself would not have taken.
    """
    provider = GcpProvider(world)
    there = [each for each in world.all() if each.owner == EXISTING]
    missing: list[Existing] = []
    for each in wanted:
        inputs = storable(each.inputs)
        same = (
            one
            for one in there
            if (one.type, one.inputs) == (each.type.token, inputs) and each.id in {"", one.id}
        )
        if (match := next(same, None)) is not None:
            there.remove(match)
        else:
            missing.append(each)
    for resource in there:
        if (resource.type, resource.id) not in kept:
            world.remove(resource.type, resource.id)
    for each in missing:
        try:
            provider.put_existing(each.type, each.inputs, each.id)
        except CloudError as problem:
            raise ExistingError([f"{shown_path(each.path)}: {problem}"]) from problem


@cache
def _types() -> Mapping[str, str]:
    """Return every token by its short name."""
    return {short_name(token): token for token in tokens("gcp")}


def _read(document: object) -> _Found:
    for each in entries_by_type(document, TOP):
        if isinstance(each, Problem):
            yield each
        else:
            yield from _of_type(*each)


def _of_type(name: str, entries: object) -> _Found:
    path = (TOP, name)
    token = _types().get(name, name)
    kind = resource_type(token) if token.startswith("gcp:") else None
    if kind is None:
        remedy = did_you_mean(name, _types(), f"write it as the SDK does, such as {EXAMPLE}")
        yield Problem(path, "an unknown type", "the types of Google Cloud's provider", remedy)
    elif not isinstance(entries, list):
        yield Problem(path, shown(entries), "a list of resources", "begin each with a dash")
    else:
        for index, entry in enumerate(cast("list[object]", entries)):
            yield from _resource(kind, entry, (*path, index))


def _resource(kind: ResourceType, entry: object, path: KeyPath) -> _Found:
    if not isinstance(entry, dict):
        yield Problem(path, shown(entry), "a mapping", f"write the inputs of {kind.token}")
        return
    odd = [key for key in cast("dict[object, object]", entry) if not isinstance(key, str)]
    if odd:
        yield Problem(path, f"the key {shown(odd[0])}", "text", "write a property's name")
        return
    inputs = dict(cast("Values", entry))
    id_: Any = inputs.pop("id", "")
    if not isinstance(id_, str):
        yield Problem((*path, "id"), shown(id_), "text", "put it in quotes")
        return
    wrong = [(each.path, each.reason) for each in failures_of(kind, inputs, {})]
    told = {where for where, _ in wrong}
    for name in () if id_ else left_out(kind, inputs):
        if name == CHOSEN:
            wrong.append(("id", f"missing: the cloud chose the id of a {kind.token}: say which"))
        elif name not in told:
            pattern = id_format(kind)
            wrong.append((name, f"missing: it is part of the id, '{pattern}', of {kind.token}"))
    for where, reason in wrong:
        yield f"{shown_path(path)}.{where}: {reason}"
    if not wrong:
        yield Existing(kind, inputs, id_, path)

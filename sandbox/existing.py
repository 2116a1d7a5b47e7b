"""What is there before anything is made: resources of others, told by their properties.

They stand in a mapping from a type to a list, each resource by the inputs of its type, and checked
as a program's are. `id` is for those whose id the cloud chose. Kubernetes objects are in every
cluster.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeAlias, cast

from catalog.by_type import EXAMPLE, entries_by_type, short_name
from catalog.problems import KeyPath, Problem, did_you_mean, shown, shown_path
from sandbox.errors import CloudError
from sandbox.existing_objects import object_failures, put_object
from sandbox.gcp.effects.cluster import CLUSTER
from sandbox.gcp.identifiers import CHOSEN, id_format, left_out, make_id
from sandbox.gcp.request import ProviderConfig, Request
from sandbox.kubernetes.cluster import Cluster
from sandbox.kubernetes.objects import Kind
from sandbox.providers.gcp import GcpProvider, failures_of
from sandbox.sdk_types import ResourceType, resource_type, tokens
from sandbox.values import Values, storable
from sandbox.world import EXISTING, CloudResource, World

TOP: Final = "existing"
_OBJECTS: Final = "kubernetes:"
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

    @property
    def is_object(self) -> bool:
        """Whether it is an object of Kubernetes."""
        return self.type.token.startswith(_OBJECTS)


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
    missing: list[tuple[Existing, Cluster | None]] = []
    for each, cluster in _placed(world, wanted):
        same = (one for one in there if _is(one, each, cluster))
        if (match := next(same, None)) is not None:
            there.remove(match)
        else:
            missing.append((each, cluster))
    for resource in there:
        if (resource.type, resource.id) not in kept:
            world.remove(*resource.key)
    for each, cluster in missing:
        if cluster is not None:
            put_object(world, cluster, Kind(each.type.token), each.inputs)
            continue
        try:
            provider.put_existing(each.type, each.inputs, each.id)
        except CloudError as problem:
            raise ExistingError([f"{shown_path(each.path)}: {problem}"]) from problem


def id_of(world: World, each: Existing) -> str:
    """Return the id that a resource of Google Cloud has in a world, or would have."""
    return each.id or make_id(Request(world, each.type, ProviderConfig(), "", each.inputs))


def _placed(
    world: World, wanted: Collection[Existing]
) -> Iterator[tuple[Existing, Cluster | None]]:
    """Yield each resource, an object once for each cluster."""
    clusters = [Cluster(each) for each in world.by_type(CLUSTER)]
    for each in wanted:
        places = clusters if each.is_object else [None]
        yield from ((each, place) for place in places)


def _is(one: CloudResource, wanted: Existing, cluster: Cluster | None) -> bool:
    """Return whether it is what is wanted, as it is wanted."""
    same = (one.type, one.inputs) == (wanted.type.token, storable(wanted.inputs))
    scope = "" if cluster is None else cluster.id
    return same and one.scope == scope and wanted.id in {"", one.id}


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
    kind = resource_type(token) if token.startswith(("gcp:", _OBJECTS)) else None
    if kind is None:
        remedy = did_you_mean(name, _types(), f"write it as the SDK does, such as {EXAMPLE}")
        yield Problem(path, "an unknown type", "the types of the providers", remedy)
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
    if kind.token.startswith(_OBJECTS):
        yield from _object(kind, inputs, path)
        return
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
    yield from _told(wrong, path)
    if not wrong:
        yield Existing(kind, inputs, id_, path)


def _object(kind: ResourceType, inputs: Values, path: KeyPath) -> _Found:
    wrong = [(each.path, each.reason) for each in object_failures(kind, inputs)]
    yield from _told(wrong, path)
    if not wrong:
        yield Existing(kind, inputs, "", path)


def _told(wrong: Collection[tuple[str, str]], path: KeyPath) -> Iterator[str]:
    for where, reason in wrong:
        yield f"{shown_path(path)}.{where}: {reason}"

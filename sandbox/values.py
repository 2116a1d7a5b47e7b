"""Property values on the wire: protobuf Structs with Pulumi's sentinels, to plain Python and back.

Unknown (computed) values become `UNKNOWN`, secrets `Secret`, assets and archives `Asset`.
Source: the constants of `pulumi.runtime.rpc` and `pulumi_policy.proxy`.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeGuard, cast

from google.protobuf import struct_pb2

INTERNAL: Final = frozenset({"__defaults", "__internal"})
"""Keys among the properties that providers keep for themselves."""

_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 -- a protocol constant
_RESOURCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
_OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_ASSETS: Final = ("c44067f5952c0a294b673a41bacd8c17", "0def7320c3a5731c473e5ecbe6d01bc7")
_UNKNOWN_TEXT: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
UNKNOWN_TEXTS: Final = frozenset(
    {
        _UNKNOWN_TEXT,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # boolean
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    }
)

Value: TypeAlias = Any
"""str, int, float, bool, None, list, dict, `UNKNOWN`, `Secret` or `Asset`, nested."""

Values: TypeAlias = dict[str, Value]
"""Property name (camelCase) -> value."""


class Unknown:
    """The type of `UNKNOWN`: a value that is known only after the resource it comes from exists."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()


@dataclass(frozen=True)
class Secret:
    """A value that the engine must keep encrypted in the state."""

    value: Value


@dataclass(frozen=True)
class Asset:
    """An asset or archive in its wire form."""

    wire: Mapping[str, Value]

    @property
    def digest(self) -> str:
        """The content hash, or an empty string where the engine gave none."""
        return str(self.wire.get("hash", ""))


def is_map(value: Value) -> TypeGuard[Values]:
    """Return whether the value is a nested object or map."""
    return isinstance(value, dict)


def is_list(value: Value) -> TypeGuard[list[Value]]:
    """Return whether the value is a list."""
    return isinstance(value, list)


def as_map(value: Value) -> Values:
    """Return the value if it is an object, else an empty one."""
    return value if is_map(value) else {}


def as_list(value: Value) -> list[Value]:
    """Return the value if it is a list, else an empty one."""
    return value if is_list(value) else []


def from_struct(struct: struct_pb2.Struct) -> Values:
    """Read a wire Struct. Never raises: every Struct has a reading."""
    return {key: _read(struct.fields[key]) for key in sorted(struct.fields)}


def _read(value: struct_pb2.Value) -> Value:
    match value.WhichOneof("kind"):
        case "string_value":
            return UNKNOWN if value.string_value in UNKNOWN_TEXTS else value.string_value
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "bool_value":
            return value.bool_value
        case "list_value":
            return [_read(item) for item in value.list_value.values]
        case "struct_value":
            return _read_object(from_struct(value.struct_value))
        case _:
            return None


def _read_object(fields: Values) -> Value:
    match fields.get(_SIGNATURE):
        case None:
            return fields
        case signature if signature == _SECRET:
            return Secret(fields.get("value"))
        case signature if signature == _OUTPUT:
            inner = fields.get("value", UNKNOWN)
            return Secret(inner) if fields.get("secret") else inner
        case signature if signature == _RESOURCE:
            return fields.get("id") or UNKNOWN
        case signature if signature in _ASSETS:
            return Asset(fields)
        case _:
            return fields


def to_struct(values: Mapping[str, Value]) -> struct_pb2.Struct:
    """Write a wire Struct; `None` properties are left out, as the engine expects."""
    struct = struct_pb2.Struct()
    for key, value in values.items():
        if value is not None:
            struct.fields[key].CopyFrom(_write(value))
    return struct


def _write(value: Value) -> struct_pb2.Value:
    if isinstance(value, Unknown):
        return struct_pb2.Value(string_value=_UNKNOWN_TEXT)
    if isinstance(value, Secret):
        return _write({_SIGNATURE: _SECRET, "value": value.value})
    if isinstance(value, Asset):
        return _write(dict(value.wire))
    if isinstance(value, bool):
        return struct_pb2.Value(bool_value=value)
    if isinstance(value, int | float):
        return struct_pb2.Value(number_value=value)
    if is_list(value):
        items = struct_pb2.ListValue(values=[_write(item) for item in value])
        return struct_pb2.Value(list_value=items)
    if is_map(value):
        return struct_pb2.Value(struct_value=to_struct(value))
    if value is None:
        return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
    return struct_pb2.Value(string_value=str(value))


def plain(value: Value) -> Value:
    """Return the same value without `Secret` wrappers and without null object members."""
    if isinstance(value, Secret):
        return plain(value.value)
    if is_list(value):
        return [plain(item) for item in value]
    if is_map(value):
        return {key: plain(item) for key, item in value.items() if item is not None}
    return value


def plain_map(values: Mapping[str, Value]) -> Values:
    """Return `plain` for a whole property map."""
    return cast("Values", plain(dict(values)))


def storable(value: Value) -> Value:
    """Return what the cloud would keep of a plain value: JSON, assets by content hash."""
    if isinstance(value, Asset):
        return value.digest
    if is_list(value):
        return [storable(item) for item in value]
    if is_map(value):
        return {key: storable(item) for key, item in value.items()}
    return value


def has_unknown(value: Value) -> bool:
    """Return whether any part of the value is unknown."""
    if isinstance(value, Secret):
        return has_unknown(value.value)
    if is_list(value):
        return any(has_unknown(item) for item in value)
    if is_map(value):
        return any(has_unknown(item) for item in value.values())
    return isinstance(value, Unknown)


def has_secret(value: Value) -> bool:
    """Return whether any part of the value is secret."""
    if is_list(value):
        return any(has_secret(item) for item in value)
    if is_map(value):
        return any(has_secret(item) for item in value.values())
    return isinstance(value, Secret)


def marked(value: Value, like: Value) -> Value:
    """Return the plain `value` with the parts wrapped as `Secret` that are secret in `like`."""
    if isinstance(like, Secret):
        return Secret(plain(value))
    if is_map(value) and is_map(like):
        return {key: marked(item, like.get(key)) for key, item in value.items()}
    if is_list(value) and is_list(like):
        if len(value) == len(like):
            return [marked(item, other) for item, other in zip(value, like, strict=True)]
        return Secret(value) if has_secret(like) else value
    return value


def marked_map(values: Mapping[str, Value], *likes: Mapping[str, Value]) -> Values:
    """Return `marked` for a property map, after each of several examples."""
    result: Values = dict(values)
    for like in likes:
        result = {
            key: item if isinstance(item, Secret) else marked(item, like.get(key))
            for key, item in result.items()
        }
    return result


def merged(base: Value, extra: Value) -> Value:
    """Return `base` with the members of `extra` it lacks, at every level of nested objects."""
    if is_map(base) and is_map(extra):
        result = dict(base)
        for key, item in extra.items():
            result[key] = merged(result[key], item) if key in result else item
        return result
    return base


def values_at(value: Value, path: str) -> Iterator[Value]:
    """Yield what is given at a path, of which `*` leads to each entry of a list or map."""
    name, _, rest = path.partition(".")
    inner = [*as_list(value), *as_map(value).values()] if name == "*" else [as_map(value).get(name)]
    for each in inner:
        if each is not None:
            yield from values_at(each, rest) if rest else (each,)


def texts_in(value: Value, without: Collection[str] = ()) -> Iterator[str]:
    """Yield every text anywhere in a value, save below the keys of `without`."""
    if isinstance(value, str):
        yield value
    elif is_list(value):
        for item in value:
            yield from texts_in(item, without)
    elif is_map(value):
        for name, item in value.items():
            if name not in without:
                yield from texts_in(item, without)

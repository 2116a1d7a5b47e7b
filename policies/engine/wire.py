"""Properties between the engine's messages and plain Python, once per resource.

Rules read through `get`, which knows the engine's signs of unknown values, so properties need no
proxies. Secrets are unwrapped, as the SDK does. Assets and archives are opaque.
"""

from collections.abc import Mapping
from typing import Any, Final, cast

from google.protobuf.struct_pb2 import Struct, Value
from pulumi_policy.deserialize import SPECIAL_SECRET_SIG, SPECIAL_SIG_KEY

from resources.properties import is_mapping, is_unknown

OPAQUE: Final = object()


def plain(struct: Struct) -> dict[str, object]:
    """The properties as dicts, lists and scalars."""
    return {key: _plain(value) for key, value in struct.fields.items()}


def _plain(value: Value) -> object:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return value.string_value
    if kind == "struct_value":
        fields = value.struct_value.fields
        if SPECIAL_SIG_KEY in fields:
            return _signed(fields)
        return {key: _plain(each) for key, each in fields.items()}
    if kind == "list_value":
        return [_plain(each) for each in value.list_value.values]
    if kind == "bool_value":
        return value.bool_value
    return value.number_value if kind == "number_value" else None


def _signed(fields: Mapping[str, Value]) -> object:
    is_secret = fields[SPECIAL_SIG_KEY].string_value == SPECIAL_SECRET_SIG
    return _plain(fields["value"]) if is_secret and "value" in fields else OPAQUE


def unwrapped(value: object) -> object:
    """The same for the JSON of an exported state."""
    if isinstance(value, dict):
        found = cast("dict[str, object]", value)
        if SPECIAL_SIG_KEY in found:
            is_secret = found[SPECIAL_SIG_KEY] == SPECIAL_SECRET_SIG
            return unwrapped(found["value"]) if is_secret and "value" in found else OPAQUE
        return {key: unwrapped(each) for key, each in found.items()}
    if isinstance(value, list):
        return [unwrapped(each) for each in cast("list[object]", value)]
    return value


def merge(struct: Struct, changes: Mapping[str, object]) -> bool:
    """Merge `changes` into the properties; False, and nothing said, where one is not known yet.

    The properties stay in the engine's own form, so secrets stay secret and unknowns unknown.
    """
    for key, change in changes.items():
        current = struct.fields.get(key)
        if current is not None and is_unknown(current.string_value):
            return False
        if is_mapping(change) and current is not None and current.HasField("struct_value"):
            inner = current.struct_value
            if SPECIAL_SIG_KEY in inner.fields or not merge(inner, change):
                return False
        else:
            cast("Any", struct)[key] = change
    return True

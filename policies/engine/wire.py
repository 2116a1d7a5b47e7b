"""Properties between the engine's messages and plain Python, once per resource.

Rules read through `get`, which knows the engine's signs of unknown values, so properties need no
proxies. Secrets are unwrapped, as the SDK does. Assets and archives are opaque.
"""

from collections.abc import Mapping
from typing import Any, cast

from google.protobuf.struct_pb2 import Struct, Value

from resources.properties import OPAQUE, SECRET_SIGNATURE, SIGNATURE, is_mapping, is_unknown


def plain(struct: Struct) -> dict[str, object]:
    """Return the properties as dicts, lists and scalars."""
    return {key: _plain(value) for key, value in struct.fields.items()}


def _plain(value: Value) -> object:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return value.string_value
    if kind == "struct_value":
        fields = value.struct_value.fields
        if SIGNATURE in fields:
            return _signed(fields)
        return {key: _plain(each) for key, each in fields.items()}
    if kind == "list_value":
        return [_plain(each) for each in value.list_value.values]
    if kind == "bool_value":
        return value.bool_value
    return value.number_value if kind == "number_value" else None


def _signed(fields: Mapping[str, Value]) -> object:
    is_secret = fields[SIGNATURE].string_value == SECRET_SIGNATURE
    return _plain(fields["value"]) if is_secret and "value" in fields else OPAQUE


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
            if SIGNATURE in inner.fields or not merge(inner, change):
                return False
        else:
            cast("Any", struct)[key] = change
    return True

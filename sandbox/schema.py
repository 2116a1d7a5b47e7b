"""The JSON schemas of files that name resources, for editors: `python -m sandbox.schema [--check]`.

They are `sandbox.<stack>.yaml`, what is there, and `import.<stack>.yaml`, what is taken over.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import shorten
from typing import Any, Final

from catalog.by_type import short_name
from catalog.pages import kept
from sandbox.gcp.facts import ELEMENT, NOTHING, Facts, facts_of
from sandbox.gcp.identifiers import CHOSEN, id_format, left_out
from sandbox.sdk_shapes import AnyOf, ListOf, MapOf, ObjectOf, Property, Scalar, Shape
from sandbox.sdk_types import resource_type, tokens

FOLDER: Final = Path(__file__).parent / "schemas"
DESCRIBED: Final = (
    "gcp:accesscontextmanager/accessPolicy:AccessPolicy",
    "gcp:accesscontextmanager/servicePerimeter:ServicePerimeter",
    "gcp:bigquery/dataset:Dataset",
    "gcp:certificatemanager/certificate:Certificate",
    "gcp:compute/firewall:Firewall",
    "gcp:compute/network:Network",
    "gcp:compute/router:Router",
    "gcp:compute/routerNat:RouterNat",
    "gcp:compute/subnetwork:Subnetwork",
    "gcp:dns/managedZone:ManagedZone",
    "gcp:kms/cryptoKey:CryptoKey",
    "gcp:pubsub/topic:Topic",
    "gcp:secretmanager/secret:Secret",
    "gcp:secretmanager/secretVersion:SecretVersion",
    "gcp:storage/bucket:Bucket",
    "kubernetes:core/v1:Service",
)
"""What docs/existing.md names: their properties are completed, of other types the name alone."""

Schema = dict[str, Any]
# What the provider of Google Cloud converts, as sandbox.check does.
_OTHER_TYPE: Final = "^(gcp|kubernetes):"
_LONGEST: Final = 160
_TAKEN: Final[Mapping[str, Sequence[str]]] = {
    "boolean": ("boolean", "string"),
    "integer": ("integer", "string"),
    "number": ("number", "string"),
    "string": ("string", "number", "boolean"),
}


def existing() -> Schema:
    """Return the schema of a `sandbox.<stack>.yaml`."""
    described = {name: _resources(token) for token in DESCRIBED for name in _names(token)}
    other = {"type": "array", "items": {"type": "object"}}
    return _file("What is there before a stack is made", "existing", described, other)


def imports() -> Schema:
    """Return the schema of an `import.<stack>.yaml`."""
    ids: Schema = {"type": "object", "additionalProperties": {"type": "string", "minLength": 1}}
    described: Schema = {}
    for token in DESCRIBED:
        if token.startswith("gcp:") and (kind := resource_type(token)):
            told = {"description": f"From the name in the program to {id_format(kind)}."}
            described |= dict.fromkeys(_names(token), told | ids)
    return _file("What a stack takes over", "import", described, ids)


def _file(title: str, top: str, described: Schema, other: Schema) -> Schema:
    """Return the schema of a file with types below a key, of which some are described."""
    names = sorted({*map(short_name, tokens("gcp")), *described})
    rest = {"$ref": "#/$defs/other"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": ["object", "null"],
        "properties": {
            top: {
                "description": f"{title}, by type.",
                "type": "object",
                "properties": {name: described.get(name, rest) for name in names},
                "patternProperties": {_OTHER_TYPE: rest},
                "additionalProperties": False,
            }
        },
        "additionalProperties": False,
        "$defs": {"other": other},
    }


def _names(token: str) -> tuple[str, ...]:
    return (short_name(token), token) if token.startswith("gcp:") else (token,)


def _resources(token: str) -> Schema:
    """Return the schema of a type's resources, each by its inputs."""
    kind = resource_type(token)
    if kind is None:
        raise ValueError(f"{token}: the SDK has no such type")
    lenient = token.startswith("gcp:")
    resource = _object(kind.inputs, facts_of(token) if lenient else None, "")
    for name, described in resource["properties"].items():
        if sentence := kind.input_documentation.get(name, "").strip().partition(".\n")[0]:
            described["description"] = shorten(sentence, _LONGEST, placeholder=" ...")
    if not lenient:
        resource["required"] = ["metadata"]
        resource["properties"]["metadata"]["required"] = ["name"]
    else:
        chosen = {"type": "string", "description": "The id, where the cloud chose it."}
        resource["properties"]["id"] = chosen
        parts = [*left_out(kind, {})]
        known = [{"required": parts}] if parts and CHOSEN not in parts else []
        resource |= {"anyOf": [{"required": ["id"]}, *known]} if parts else {}
    return {"type": "array", "items": resource}


def _object(properties: Mapping[str, Property], facts: Facts | None, path: str) -> Schema:
    required = [name for name, each in properties.items() if each.required]
    return {
        "type": "object",
        "properties": {
            name: _value(each.shape, facts, f"{path}.{name}" if path else name)
            for name, each in properties.items()
        },
        **({"required": required} if required else {}),
        "additionalProperties": False,
    }


def _value(shape: Shape, facts: Facts | None, path: str) -> Schema:
    match shape:
        case Scalar():
            return _scalar(shape, facts, path)
        case ListOf():
            return {"type": "array", "items": _value(shape.item, facts, f"{path}{ELEMENT}")}
        case MapOf():
            return {
                "type": "object",
                "additionalProperties": _value(shape.value, facts, f"{path}{ELEMENT}"),
            }
        case AnyOf():
            return {"anyOf": [_value(each, facts, path) for each in shape.options]}
        case ObjectOf():
            return _object(shape.properties, facts, path)


def _scalar(shape: Scalar, facts: Facts | None, path: str) -> Schema:
    fact = NOTHING if facts is None else facts.at(path)
    allowed = () if fact.ignore_case else fact.allowed or shape.allowed
    if allowed:
        return {"enum": [*allowed]}
    if shape.kind in {"any", "asset"}:
        return {}
    return {"type": [*_TAKEN[shape.kind]] if facts else shape.kind}


def _pages() -> Mapping[Path, str]:
    return {
        FOLDER / "existing.json": _text(existing()),
        FOLDER / "import.json": _text(imports()),
    }


def _text(schema: Schema) -> str:
    return json.dumps(schema, indent=1) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the files; return the exit code."""
    return kept("sandbox.schema", _pages, arguments)


if __name__ == "__main__":
    sys.exit(main())

"""Validates custom resources against the structural schemas of their definitions.

Schemas come from `sandbox/crds/*.yaml` and from CustomResourceDefinitions in the cluster. CEL rules
(`x-kubernetes-validations`) are not evaluated.
"""

import difflib
import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from sandbox.check import Failure
from sandbox.kubernetes.cluster import Cluster
from sandbox.kubernetes.kinds import DEFINITION
from sandbox.kubernetes.objects import Kind
from sandbox.values import Unknown, Values, as_map, has_unknown, is_map
from sandbox.world import World

_FOLDER: Final = Path(__file__).parent.parent / "crds"
_ENVELOPE: Final = frozenset({"apiVersion", "kind", "metadata"})
_KEPT: Final = frozenset(
    {
        "type", "enum", "required", "pattern", "minimum", "maximum", "exclusiveMinimum",
        "exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems", "uniqueItems",
        "minProperties", "maxProperties", "multipleOf",
    }
)  # fmt: skip
# Checks of a value as a whole: undecided while any part of it is unknown.
_WHOLE: Final = frozenset({"anyOf", "const", "enum", "not", "oneOf", "uniqueItems"})
_SHOWN: Final = 60


def check_object(
    world: World, cluster: Cluster | None, kind: Kind, inputs: Values
) -> list[Failure]:
    """Return every place where a custom resource breaks its schema; none when there is no
    schema."""
    validator = _find(world, cluster, kind)
    if validator is None:
        return []
    content = {name: value for name, value in inputs.items() if name not in _ENVELOPE}
    errors = (leaf for error in validator.iter_errors(content) for leaf in _leaves(error))
    failures = (found for error in errors for found in _failures(kind, error))
    return list(dict.fromkeys(failures))


def _find(world: World, cluster: Cluster | None, kind: Kind) -> Draft202012Validator | None:
    if cluster is not None:
        for definition in world.by_type(DEFINITION, scope=cluster.id):
            for version, schema in _versions(definition.inputs):
                if version == (kind.group, kind.version, kind.name):
                    return _compiled(json.dumps(schema))
    return _bundled().get((kind.group, kind.version, kind.name))


@cache
def _bundled() -> dict[tuple[str, str, str], Draft202012Validator]:
    found: dict[tuple[str, str, str], Draft202012Validator] = {}
    for file in sorted(_FOLDER.glob("*.yaml")):
        with file.open(encoding="utf-8") as stream:
            for document in yaml.load_all(stream, Loader=_LOADER):
                if is_map(document) and document.get("kind") == "CustomResourceDefinition":
                    for version, schema in _versions(document):
                        found[version] = _compiled(json.dumps(schema))
    return found


# The compiled loader is ten times faster on the large definitions; not every build has it.
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _versions(definition: Values) -> Iterator[tuple[tuple[str, str, str], Values]]:
    spec: Any = definition.get("spec", {})
    for version in spec.get("versions", []):
        schema = as_map(as_map(version.get("schema")).get("openAPIV3Schema"))
        if schema:
            yield (spec["group"], version["name"], spec["names"]["kind"]), schema


@cache
def _compiled(schema: str) -> Draft202012Validator:
    converted = _convert(json.loads(schema))
    for name in _ENVELOPE:
        converted.get("properties", {}).pop(name, None)
    converted["required"] = [n for n in converted.get("required", []) if n not in _ENVELOPE]
    return Draft202012Validator(converted)


def _convert(schema: Values) -> Values:
    """Return a structural schema as a strict JSON schema: undeclared fields are refused."""
    schema = {_extension(key): value for key, value in schema.items()}
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    result = _bounds({key: value for key, value in schema.items() if key in _KEPT})
    if schema.get("nullable"):
        result |= {"enum": [*result["enum"], None]} if "enum" in result else {}
        result |= {"type": [result["type"], "null"]} if "type" in result else {}
    if is_map(schema.get("properties")):
        result["properties"] = {k: _convert(v) for k, v in schema["properties"].items()}
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            result["additionalProperties"] = False
    for key in ("additionalProperties", "items"):
        if is_map(schema.get(key)):
            result[key] = _convert(schema[key])
    for key in ("oneOf", "anyOf", "allOf"):
        if key in schema:
            result[key] = [_partial(option) for option in schema[key]]
    return result | ({"not": _partial(schema["not"])} if "not" in schema else {})


def _extension(key: str) -> str:
    """Return the SDK spells `x-kubernetes-...` with underscores."""
    return key.replace("_", "-") if key.startswith("x_kubernetes") else key


def _bounds(schema: Values) -> Values:
    """Return OpenAPI's boolean exclusive bounds as JSON schema's numbers."""
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if schema.pop(exclusive, False):
            schema[exclusive] = schema.pop(bound)
    return schema


def _partial(schema: Values) -> Values:
    """Return a part of a combination: it adds conditions, and does not forbid other fields."""
    result = _convert(schema)
    if "additionalProperties" not in schema:
        result.pop("additionalProperties", None)
    return result


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    if error.context and error.validator == "allOf":
        for inner in error.context:
            yield from _leaves(inner)
    else:
        yield error


def _failures(kind: Kind, error: ValidationError) -> Iterator[Failure]:
    instance: Any = error.instance
    if isinstance(instance, Unknown) or (error.validator in _WHOLE and has_unknown(instance)):
        return
    path = _path(error.absolute_path)
    prefix = f"{path}." if path else ""
    if error.validator == "additionalProperties":
        schema: Any = error.schema
        known = list(schema.get("properties", {}))
        for name in sorted(set(instance) - set(known)):
            close = difflib.get_close_matches(name, known, n=1)
            hint = (
                f"did you mean '{close[0]}'?" if close else f"allowed: {', '.join(sorted(known))}"
            )
            full = f"{prefix}{name}"
            reason = f".{full}: field not declared in schema of {kind.token}; {hint}"
            yield Failure(full, reason)
    elif error.validator == "required":
        missing = error.message.split("'")[1]
        full = f"{prefix}{missing}"
        yield Failure(full, f"missing required property '{full}' of {kind.token}")
    else:
        shown = repr(instance)
        shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
        allowed = error.message.removeprefix(f"{instance!r} ")
        yield Failure(path, f".{path}: found {shown} in {kind.token}, which {allowed}")


def _path(parts: Sequence[str | int]) -> str:
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text

"""What the cloud answers: inputs as given, and everything it decides itself."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from sandbox.gcp.facts import Facts, Node, default_of, facts_of
from sandbox.gcp.immutability import defaults
from sandbox.gcp.naming import digits, hex_digits
from sandbox.gcp.request import Request
from sandbox.gcp.rows import row, service
from sandbox.gcp.write_only import readable
from sandbox.sdk_shapes import ListOf, MapOf, ObjectOf, Output, Scalar
from sandbox.values import UNKNOWN, Value, Values, as_list, as_map, is_list, is_map, merged

_INTEGER: Final = Scalar("integer")
_LABELS: Final = {"goog-pulumi-provisioned": "true"}


def outputs_of(request: Request, effects: Values) -> Values:
    """Return all outputs of a resource that exists.

    `effects`, what its topic module decided, overrules inputs; the table only fills gaps.
    """
    facts = facts_of(request.type.token) or Facts()
    result = _known(request)
    for name, value in effects.items():
        result[name] = merged(result[name], value) if is_map(result.get(name)) else value
    for name, value in _tabled(request).items():
        result[name] = merged(result[name], value) if name in result else value
    for output in request.type.outputs.values():
        if output.name not in result:
            value = _kept_or_made(output, request)
            if value is not None:
                result[output.name] = value
    return filled(facts.root, result, request.old)


def previewed(request: Request) -> Values:
    """Return outputs before the cloud has answered: inputs known, what the cloud decides unknown.

    On an update, what the cloud decided before stays known.
    """
    facts = facts_of(request.type.token) or Facts()
    result = filled(facts.root, _known(request), request.old, unknown=True)
    for output in request.type.outputs.values():
        if output.name in result or not (output.computed or facts.at(output.name).computed):
            continue
        if output.name in request.old:
            result[output.name] = request.old[output.name]
        else:
            result[output.name] = UNKNOWN
    return result


def filled(node: Node, value: Values, old: Values, *, unknown: bool = False) -> Values:
    """Return an object with its defaults, and with what the cloud decided, or will decide."""
    result = {**value, **defaults(node, value)}
    for name, member in node.members.items():
        if name not in result and member.fact.computed:
            if name in old:
                result[name] = old[name]
            elif unknown and not old:
                result[name] = UNKNOWN
        elif name in value:
            result[name] = _inside(member, value[name], old.get(name), unknown=unknown)
    return result


def _inside(node: Node, value: Value, old: Value, *, unknown: bool) -> Value:
    if is_map(value):
        return filled(node, value, as_map(old), unknown=unknown)
    if is_list(value) and node.element is not None:
        before = as_list(old)
        return [
            _inside(node.element, each, before[at] if at < len(before) else {}, unknown=unknown)
            for at, each in enumerate(value)
        ]
    return value


def _known(request: Request) -> Values:
    outputs = request.type.outputs
    given = readable(request.inputs)
    result = {name: value for name, value in given.items() if name in outputs}
    labels = request.inputs.get("labels", {})
    if "effectiveLabels" in outputs and is_map(labels):
        defaults = request.config.default_labels
        result["pulumiLabels"] = {**defaults, **labels}
        result["effectiveLabels"] = {**defaults, **labels, **_LABELS}
    annotations = request.inputs.get("annotations", {})
    if "effectiveAnnotations" in outputs:
        result["effectiveAnnotations"] = annotations
    return result


def _tabled(request: Request) -> Values:
    names = {
        **{key: value for key, value in request.inputs.items() if isinstance(value, str | int)},
        "id": request.id,
        "project": request.project,
        "number": request.number,
        "region": request.region,
        "hash": hex_digits(request.id),
        "digits": digits(request.id, 18),
    }
    made = {key: _filled(value, names) for key, value in row(request.type.token).outputs.items()}
    shapes = {name: output.shape for name, output in request.type.outputs.items()}
    return {
        key: int(value) if isinstance(value, str) and shapes.get(key) == _INTEGER else value
        for key, value in made.items()
    }


def _filled(value: Value, names: Mapping[str, Any]) -> Value:
    if isinstance(value, str):
        return value.format_map(names) if "{" in value else value
    if is_list(value):
        return [_filled(item, names) for item in value]
    if is_map(value):
        return {key: _filled(item, names) for key, item in value.items()}
    return value


def _kept_or_made(output: Output, request: Request) -> Value:
    prop = request.type.inputs.get(output.name)
    if prop is None or output.computed:
        if output.name in request.old:
            return request.old[output.name]
        return _made(output, request) if output.computed else None
    return None


def _made(output: Output, request: Request) -> Value:
    by_name = _by_name(output.name, request)
    if by_name is not None:
        return by_name
    if output.name in request.type.inputs:
        default = default_of(request.type, output.name)
        return default if default is not None else _empty(output)
    if isinstance(output.shape, Scalar) and output.shape.kind == "string":
        return hex_digits(f"{request.id}.{output.name}", 16)
    return _empty(output)


def _by_name(name: str, request: Request) -> Value:
    match name:
        case "selfLink":
            return f"{_host(request)}/{request.id}"
        case "name" if "name" not in request.type.inputs:
            return request.id
        case "creationTimestamp" | "createTime" | "updateTime" | "createdAt":
            return now()
        case "number" | "projectNumber":
            return request.number
        case "project" | "region" | "zone" | "location":
            return request.config.default(name) or None
        case "fingerprint" | "labelFingerprint" | "etag" | "metadataFingerprint":
            return f"{hex_digits(f'{request.id}.{name}', 11)}="
        case "generatedId" | "numericId" | "uniqueId":
            return digits(request.id, 19)
        case "state":
            return "ACTIVE"
        case _:
            return None


def _host(request: Request) -> str:
    known = service(request.type.module)
    return known.host or f"https://{known.service or 'www.googleapis.com'}/v1"


def _empty(output: Output) -> Value:
    match output.shape:
        case Scalar(kind="string"):
            return ""
        case Scalar(kind="integer" | "number"):
            return 0
        case Scalar(kind="boolean"):
            return False
        case ListOf():
            return []
        case MapOf() | ObjectOf():
            return {}
        case _:
            return None


def now() -> str:
    """Return the present time as the APIs write it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

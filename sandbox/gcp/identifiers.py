"""Cloud ids: made from the formats the SDK documents, and read back from what an import gives."""

import re
from collections.abc import Iterator
from typing import Final

from sandbox.gcp.naming import hex_digits, last_segment, relative_name
from sandbox.gcp.request import ProviderConfig, Request
from sandbox.gcp.rows import is_grant, row
from sandbox.sdk_types import ResourceType
from sandbox.values import Values

_HOLE: Final = re.compile(r"\{\{\s*%?([\w.*#]+)\s*\}\}")
_GRANT: Final = frozenset({"role", "member", "members", "policyData", "condition", "service"})


def is_upsert(token: str) -> bool:
    """Return whether creating the resource twice is no conflict."""
    return is_grant(token) or row(token).upsert


def id_format(resource: ResourceType) -> str | None:
    """Return the format of a type's id, such as `projects/{{project}}/topics/{{name}}`."""
    return row(resource.token).id or next(iter(resource.import_formats), None)


def identifying_inputs(resource: ResourceType) -> frozenset[str]:
    """Return the inputs that are part of the id, and so cannot change in place."""
    holes = _HOLE.findall(id_format(resource) or "")
    found = (next((n for n in _spellings(hole) if n in resource.inputs), None) for hole in holes)
    return frozenset(name for name in found if name is not None)


CHOSEN: Final = "*"
"""What the cloud chooses of an id."""


def left_out(resource: ResourceType, inputs: Values) -> Iterator[str]:
    """Yield each input that the id needs and that isn't there, `CHOSEN` where none would say it."""
    if is_grant(resource.token):
        return
    for hole in _HOLE.findall(id_format(resource) or _fallback(resource)):
        names = [name for name in _spellings(hole) if name in resource.inputs]
        if hole != "#" and all(inputs.get(name) is None for name in names):
            yield names[0] if names else CHOSEN


def make_id(request: Request) -> str:
    """Return the id the cloud gives a new resource."""
    resource = request.type
    pattern = id_format(resource) or _fallback(resource)
    spare = iter(_identifying(resource, request.inputs))
    known = set(_HOLE.findall(pattern))
    result, at = "", 0
    for hole in _HOLE.finditer(pattern):
        result += pattern[at : hole.start()]
        result += _filled(hole.group(1), result, request, known, spare)
        at = hole.end()
    result += pattern[at:]
    return _with_grant(result, request) if is_grant(resource.token) else result


def _fallback(resource: ResourceType) -> str:
    collection = resource.token.split("/")[-1].split(":")[0]
    place = "/locations/{{location}}" if "location" in resource.inputs else ""
    name = "{{name}}" if "name" in resource.inputs else "{{*}}"
    return f"projects/{{{{project}}}}{place}/{collection}s/{name}"


def _identifying(resource: ResourceType, inputs: Values) -> Iterator[str]:
    """Yield required inputs that may stand for a placeholder named differently."""
    for prop in resource.inputs.values():
        value = inputs.get(prop.name)
        if prop.required and prop.name not in _GRANT and isinstance(value, str):
            yield last_segment(value)


def _filled(hole: str, before: str, request: Request, known: set[str], spare: Iterator[str]) -> str:
    if hole == "#":
        return str(1 + max(_numbers(before, request), default=0))
    if hole != "*":
        for name in _spellings(hole):
            value = request.inputs.get(name) or (
                request.config.default(name) if name == "project" else None
            )
            if isinstance(value, str | int):
                return last_segment(str(value)) if before else relative_name(str(value))
        if is_grant(request.type.token):
            return next((value for value in spare if value not in known), "")
    return _generated(request)


def _spellings(hole: str) -> Iterator[str]:
    camel = re.sub(r"_(\w)", lambda match: match.group(1).upper(), hole)
    yield camel
    if camel == "projectId":
        yield "project"
    if camel.endswith("Id"):
        yield camel.removesuffix("Id")
        yield "name"


def _numbers(before: str, request: Request) -> Iterator[int]:
    """Yield the numbers that the others of a type have behind `before`."""
    for other in request.world.by_type(request.type.token):
        number = other.id.removeprefix(before)
        if number.isdigit():
            yield int(number)


def _generated(request: Request) -> str:
    """Return a server-made name: stable for a resource, another one for its replacement."""
    taken = {resource.id for resource in request.world.by_type(request.type.token)}
    for attempt in range(len(taken) + 1):
        value = str(int(hex_digits(f"{request.urn}#{attempt}", 14), 16))
        if not any(value in id_ for id_ in taken):
            return value
    raise AssertionError("more names than resources")


def _with_grant(parent: str, request: Request) -> str:
    parts = [parent, *(str(request.inputs[k]) for k in ("role", "member") if k in request.inputs)]
    condition = request.inputs.get("condition")
    if isinstance(condition, dict) and "title" in condition:
        parts.append(str(condition["title"]))  # any JSON
    return "/".join(parts)


def expand(resource: ResourceType, given: str, config: ProviderConfig) -> str:
    """Return the canonical id for anything an import may name: a self link, `region/name`,
    `name`..."""
    pattern = id_format(resource)
    text = relative_name(given)
    if pattern is None:
        return text
    for candidate in (pattern, *resource.import_formats):
        parts = _HOLE.split(candidate)
        regex = "".join(
            re.escape(part) if index % 2 == 0 else "([^/]+)" for index, part in enumerate(parts)
        )
        found = re.fullmatch(regex, text)
        if found is None:
            continue
        values = dict(zip(_HOLE.findall(candidate), found.groups(), strict=True))
        holes = _HOLE.findall(pattern)
        full = {h: values.get(h) or config.default(h.removesuffix("_id")) for h in holes}
        if all(full.values()):
            return _HOLE.sub(lambda hole, full=full: full[hole.group(1)], pattern)
    return text

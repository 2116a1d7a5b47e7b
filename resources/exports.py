"""Exported states: what `pulumi stack export` prints, and the checkpoint of a file backend."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

from pulumi_policy import proxy

from resources.properties import OPAQUE, SECRET_SIGNATURE, SIGNATURE
from resources.resource import Resource, Stack

Exported = Mapping[str, Any]
_DEPLOYMENT: Final = ("checkpoint", "latest", "deployment")


class ExportError(ValueError):
    """What is no exported state; says what to give instead."""


def read(file: Path) -> list[dict[str, Any]]:
    """Return the resources in a file, as they stand there."""
    try:
        return parse(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        # Python's own text has a number first, and the file once more.
        why = (error.strerror or error) if isinstance(error, OSError) else error
        raise ExportError(f"{file}: {why}; give the output of `pulumi stack export`") from error


def parse(text: str) -> list[dict[str, Any]]:
    """Return the resources in an exported state; none where nothing is made. Raises ValueError."""
    document: object = json.loads(text)
    for key in _DEPLOYMENT:
        if isinstance(document, dict) and key in document:
            document = cast("dict[str, object]", document)[key]
    if not isinstance(document, dict) or "manifest" not in document:
        raise ExportError("holds no deployment")
    return cast("dict[str, Any]", document).get("resources") or []


def remaining(exported: Iterable[Exported]) -> Iterator[Exported]:
    """Return those that a replacement has not already taken the place of."""
    return (each for each in exported if not each.get("delete"))


def deployed(exported: Iterable[Exported]) -> Stack:
    """Return the stack as the cloud has it."""
    return Stack(resource_of(each) for each in remaining(exported))


def resource_of(exported: Exported, side: str = "outputs") -> Resource:
    """Return a resource by what the cloud answered, or, where it has not, by what was asked for."""
    urn = str(exported.get("urn", ""))
    wired: Mapping[str, Sequence[str] | None] = exported.get("propertyDependencies") or {}
    found = plain(exported.get(side) or exported.get("inputs") or {})
    return Resource(
        str(exported.get("type", "")),
        urn.rpartition("::")[2],
        urn,
        cast("dict[str, object]", found),
        {name: tuple(urns) for name, urns in wired.items() if urns},
        protected=exported.get("protect") is True,
        # A provider is referred to by its URN and its id.
        provider=str(exported.get("provider") or "").rpartition("::")[0],
    )


def plain(value: object) -> object:
    """Return a value without the engine's signs: an encrypted secret is unknown, assets are
    opaque."""
    if isinstance(value, dict):
        found = cast("dict[str, object]", value)
        signature = found.get(SIGNATURE)
        if signature is None:
            return {key: plain(each) for key, each in found.items()}
        if signature != SECRET_SIGNATURE:
            return OPAQUE
        if "plaintext" in found:
            return plain(json.loads(str(found["plaintext"])))
        return plain(found["value"]) if "value" in found else proxy.UNKNOWN_STRING_VALUE
    if isinstance(value, list):
        return [plain(each) for each in cast("list[object]", value)]
    return value

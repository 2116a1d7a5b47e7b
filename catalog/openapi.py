"""OpenAPI documents: what must stand in one before API Gateway can be told to run by it.

https://cloud.google.com/api-gateway/docs/openapi-overview
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from catalog import strict_yaml

METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
_OWN_KEYS = ("x-google-backend", "x-google-management", "securityDefinitions", "security", "host")


class DocumentError(ValueError):
    """A document API Gateway would refuse; the message says what was found."""


def parsed(text: str) -> Mapping[str, Any]:
    """Return the document as data. Raises `DocumentError` unless it is OpenAPI 2.0 with paths."""
    try:
        document: object = strict_yaml.load(text)
    except strict_yaml.YamlError as problem:
        raise DocumentError(f"broken YAML or JSON ({problem})") from None
    given = _mapping(document)
    if str(given.get("swagger")) != "2.0":
        raise DocumentError("no OpenAPI 2.0 (swagger: '2.0')")
    info, paths = given.get("info"), given.get("paths")
    if not {"title", "version"} <= _mapping(info).keys():
        raise DocumentError("no info with title and version")
    if not _mapping(paths):
        raise DocumentError("no paths")
    for key in _OWN_KEYS:
        if key in given:
            raise DocumentError(f"{key}, which the platform sets")
    for path, operations in _mapping(paths).items():
        _check_operations(path, operations)
    return given


def _check_operations(path: str, operations: object) -> None:
    methods = _mapping(operations)
    found = [methods[method] for method in METHODS if isinstance(methods.get(method), dict)]
    if not path.startswith("/") or not found:
        raise DocumentError(f"{path!r} without a path's / or a method")
    for operation in found:
        if not operation.get("operationId") or not operation.get("responses"):
            raise DocumentError(f"an operation of {path!r} without operationId or responses")


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}

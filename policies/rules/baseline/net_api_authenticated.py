"""An API that Google's gateways serve asks who calls."""

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

import yaml
from pulumi_policy import EnforcementLevel, Severity

from catalog.openapi import METHODS
from policies.shared.limits import Limits
from policies.shared.rule import ResourceRule
from resources.properties import MISSING, UNKNOWN, elements, flag, text
from resources.resource import Resource

_GATEWAY: Final = "gcp:apigateway/apiConfig:ApiConfig"
_ENDPOINTS: Final = "gcp:endpoints/service:Service"
# Type: a property, the value by which nobody is asked who they are, and what that means.
_SIGN_IN: Final[Mapping[str, tuple[tuple[str, bool, str], ...]]] = {
    "gcp:identityplatform/config:Config": (
        ("signIn.anonymous.enabled", True, "lets anybody sign in who says nothing of themselves"),
        ("signIn.email.passwordRequired", False, "lets in whoever reads a mail"),
    ),
    "gcp:identityplatform/tenant:Tenant": (
        ("enableEmailLinkSignin", True, "lets in whoever reads a mail"),
    ),
}
_UNREGISTERED: Final = ("allow_unregistered_calls", "allowUnregisteredCalls")


def _parsed(document: object) -> Mapping[str, Any] | None:
    """Return an OpenAPI document or a service configuration; None for what is neither."""
    if not isinstance(document, str):
        return None
    try:
        found: object = yaml.load(document, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except yaml.YAMLError:
        return None
    return cast("Mapping[str, Any]", found) if isinstance(found, dict) else None


def _decoded(contents: object) -> str:
    try:
        return base64.b64decode(str(contents), validate=True).decode()
    except (binascii.Error, ValueError):
        return ""


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}


def _asks(security: object) -> bool:
    """Tell whether callers must meet something: an empty choice is one that everybody meets."""
    choices = cast("list[object]", security) if isinstance(security, list) else []
    return bool(choices) and all(bool(each) for each in choices)


def _openapi(document: object) -> Iterator[str]:
    found = _parsed(document)
    if found is None:
        yield "has a document that is no OpenAPI"
        return
    asks = _asks(found.get("security"))
    for methods in _mapping(found.get("paths")).values():
        for method, operation in _mapping(methods).items():
            own = _mapping(operation).get("security")
            if method in METHODS and not (asks if own is None else _asks(own)):
                yield "has an operation that asks nobody who calls"
                return


def _grpc(document: object) -> Iterator[str]:
    found = _parsed(document)
    rules = _mapping(_mapping(found).get("usage")).get("rules")
    for rule in cast("list[object]", rules) if isinstance(rules, list) else []:
        if any(_mapping(rule).get(name) for name in _UNREGISTERED):
            yield "lets callers in that no project knows"


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    for path, opens, says in _SIGN_IN.get(resource.type, ()):
        if flag(resource.props, *path.split(".")) is opens:
            yield says
    if resource.type in _SIGN_IN:
        return
    if resource.type == _GATEWAY:
        for each in elements(resource.props, "openapiDocuments"):
            contents = text(each, "document", "contents")
            if contents is not UNKNOWN:
                yield from _openapi(_decoded(contents))
        for each in elements(resource.props, "managedServiceConfigs"):
            contents = text(each, "contents")
            yield from _grpc(_decoded(contents)) if contents is not UNKNOWN else ()
        return
    document, config = (text(resource.props, name) for name in ("openapiConfig", "grpcConfig"))
    if document not in (MISSING, UNKNOWN):
        yield from _openapi(document)
    if config not in (MISSING, UNKNOWN):
        yield from _grpc(config)


RULE: Final = ResourceRule(
    id="net-api-authenticated",
    display_name="APIs ask who calls",
    description=(
        "Every operation of an API that API Gateway or Cloud Endpoints serves asks for a key or a "
        "token, and nobody signs in at Identity Platform without a name and a password."
    ),
    why="An operation without security is open to everyone who finds its address.",
    remediation=(
        "set security for the document or the operation, and drop allow_unregistered_calls."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/api-gateway/docs/authentication-method",
    applies=lambda resource_type: resource_type in (_GATEWAY, _ENDPOINTS, *_SIGN_IN),
    check=_check,
)

"""The OpenAPI document API Gateway runs by: the user's paths, with backend, callers and quota.

https://cloud.google.com/api-gateway/docs/oasv2-extensions
"""

import json
from collections.abc import Sequence
from typing import Annotated, Any, NotRequired, TypedDict

from catalog.limits import cloud_run as limits
from catalog.openapi import METHODS, parsed

_METRIC = "requests"


class ApiGatewayJwt(TypedDict):
    """Who signs the tokens of callers, and for whom."""

    issuer: Annotated[str, limits.ISSUER]
    """Value of the tokens' `iss`, such as https://accounts.google.com."""
    jwks_uri: Annotated[str, limits.JWKS_URI]
    """Address of the issuer's public keys."""
    audiences: Annotated[Sequence[str], limits.AUDIENCES]
    """Values allowed for the tokens' `aud`."""


class Callers(TypedDict):
    """How callers are told apart."""

    jwt: NotRequired[ApiGatewayJwt | None]
    """Callers show a token of this issuer."""
    api_key: NotRequired[bool]
    """Callers show an API key in the header `x-api-key`; default false."""
    requests_per_minute: NotRequired[Annotated[int | None, limits.API_RATE]]
    """Most requests of a caller: of the project its API key is of."""


def full_document(text: str, uri: str, timeout_seconds: int, callers: Callers) -> str:
    """Return the whole document as JSON. Raises `DocumentError`."""
    given = parsed(text)
    document: dict[str, Any] = {
        "schemes": ["https"],
        "produces": ["application/json"],
        **given,
        "x-google-backend": {
            "address": uri,
            "jwt_audience": uri,
            "deadline": float(timeout_seconds),
            "protocol": "h2",
        },
        "securityDefinitions": _definitions(callers),
        "security": [{name: [] for name in _definitions(callers)}],
    }
    limit = callers.get("requests_per_minute")
    if limit is not None:
        document["x-google-management"] = _management(limit)
        document["paths"] = {
            path: {
                method: _counted(operation) if method in METHODS else operation
                for method, operation in operations.items()
            }
            for path, operations in given["paths"].items()
        }
    return json.dumps(document, indent=1, sort_keys=True)


def _definitions(callers: Callers) -> dict[str, Any]:
    definitions: dict[str, Any] = {}
    jwt = callers.get("jwt")
    if jwt is not None:
        definitions["jwt"] = {
            "type": "oauth2",
            "flow": "implicit",
            "authorizationUrl": "",
            "x-google-issuer": jwt["issuer"],
            "x-google-jwks_uri": jwt["jwks_uri"],
            "x-google-audiences": ",".join(jwt["audiences"]),
        }
    if callers.get("api_key"):
        definitions["api_key"] = {"type": "apiKey", "name": "x-api-key", "in": "header"}
    return definitions


def _management(limit: int) -> dict[str, Any]:
    return {
        "metrics": [
            {
                "name": _METRIC,
                "displayName": "Requests",
                "valueType": "INT64",
                "metricKind": "DELTA",
            }
        ],
        "quota": {
            "limits": [
                {
                    "name": "requests-per-minute",
                    "metric": _METRIC,
                    "unit": "1/min/{project}",
                    "values": {"STANDARD": limit},
                }
            ]
        },
    }


def _counted(operation: dict[str, Any]) -> dict[str, Any]:
    return {"x-google-quota": {"metricCosts": {_METRIC: 1}}, **operation}

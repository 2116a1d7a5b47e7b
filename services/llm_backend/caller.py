"""Who calls: for rates and logs, not for access, which is checked before the service."""

import base64
import binascii
import hashlib
import json
from typing import Any, Final, cast

from starlette.requests import Request

_SERVICE_ACCOUNT: Final = ".gserviceaccount.com"


def caller_of(request: Request) -> str:
    """Return a short name for the caller, always the same, from its token or else its address.

    Cloud Run has verified the token and cut its signature off; what a forger could reach where
    nothing verifies it is another caller's rate, not its data.
    """
    token = request.headers.get("authorization", "")
    identity = _claims(token).get("sub") or _address(request)
    return hashlib.sha256(str(identity).encode()).hexdigest()[:16]


def consumer_of(request: Request) -> str:
    """Return who the use of models is counted for: a service account by its address, anyone else,
    who may be a person, by what stands for it in the logs."""
    email = _claims(request.headers.get("authorization", "")).get("email")
    if isinstance(email, str) and email.endswith(_SERVICE_ACCOUNT):
        return email
    return caller_of(request)


def _claims(authorization: str) -> dict[str, Any]:
    scheme, _, token = authorization.partition(" ")
    parts = token.split(".")
    if scheme.lower() != "bearer" or len(parts) != 3:
        return {}
    try:
        claims: Any = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return {}
    return cast("dict[str, Any]", claims) if isinstance(claims, dict) else {}


def _address(request: Request) -> str:
    # Google's front end adds the address it sees last; what comes before is the caller's claim.
    forwarded = request.headers.get("x-forwarded-for", "").rsplit(",", 1)[-1].strip()
    return forwarded or (request.client.host if request.client else "")

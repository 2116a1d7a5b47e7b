"""Who calls: for rates and logs, not for access, which is checked before the service."""

import base64
import binascii
import hashlib
import json
from typing import Any

from starlette.requests import Request


def caller_of(request: Request) -> str:
    """Return a short name for the caller, always the same, from its token or else its address.

    Cloud Run has verified the token and cut its signature off; what a forger could reach where
    nothing verifies it is another caller's rate, not its data.
    """
    token = request.headers.get("authorization", "")
    identity = _subject(token) or _address(request)
    return hashlib.sha256(identity.encode()).hexdigest()[:16]


def _subject(authorization: str) -> str | None:
    scheme, _, token = authorization.partition(" ")
    parts = token.split(".")
    if scheme.lower() != "bearer" or len(parts) != 3:
        return None
    try:
        claims: Any = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return None
    if not isinstance(claims, dict):
        return None
    subject: Any = claims.get("sub")  # pyright: ignore[reportUnknownVariableType]
    return subject if isinstance(subject, str) else None


def _address(request: Request) -> str:
    # Google's front end adds the address it sees last; what comes before is the caller's claim.
    forwarded = request.headers.get("x-forwarded-for", "").rsplit(",", 1)[-1].strip()
    return forwarded or (request.client.host if request.client else "")

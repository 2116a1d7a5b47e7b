"""Who calls an API, and whether they may."""

import json
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from emulator.tokens import Issuer, TokenError
from sandbox.gcp.access import may
from sandbox.world import World


class Caller:
    """The account an application serves; without one, callers show an ID token for `audience`."""

    def __init__(self, world: World, issuer: Issuer, account: str | None, audience: str) -> None:
        self._world = world
        self._issuer = issuer
        self._account = account
        self._audience = audience

    def check(self, request: Request, permission: str, *resources: str) -> None:
        """Refuse who may not, by the ids of the thing itself up to its project."""
        account = self._account
        if account is None:
            token = request.headers.get("authorization", "").removeprefix("Bearer ")
            try:
                account = self._issuer.account(token, [self._audience])
            except TokenError as problem:
                raise HTTPException(401, str(problem)) from problem
        if not may(self._world, account, permission, *resources):
            raise HTTPException(403, f"{account} has no {permission} on {resources[0]}")


async def body_of(request: Request) -> dict[str, Any]:
    """Return the JSON of a request."""
    return json.loads(await request.body() or b"{}")


def error(status: int, name: str, message: str, *details: dict[str, Any]) -> Response:
    """Return an error as Google's APIs write it."""
    found = {"code": status, "status": name, "message": message, "details": details}
    return JSONResponse({"error": found}, status)

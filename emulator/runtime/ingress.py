"""The ingress of a service: checks who calls, finds revision and instance, passes the request on.

https://cloud.google.com/run/docs/authenticating/overview
https://cloud.google.com/run/docs/troubleshooting
"""

import asyncio
from collections import Counter
from collections.abc import Mapping

import httpx
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from emulator.runtime.instances import Instance, Instances, NoInstanceError, StartError
from emulator.runtime.services import CloudRun
from emulator.runtime.traffic import Traffic
from emulator.tokens import Issuer, TokenError
from sandbox.gcp.access import may
from sandbox.world import World

_INVOKE = "run.routes.invoke"
_HOP_BY_HOP = ("connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade")
_TOKEN_HEADERS = ("x-serverless-authorization", "authorization")


class Refused(Exception):  # noqa: N818 -- an answer, not a failure of ours
    """A request that no instance gets to see."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Ingress:
    """An ASGI application. Where a request comes from isn't checked: ingress is not rehearsed.

    `instances` are those of each revision that gets requests, by its name.
    """

    def __init__(
        self,
        world: World,
        issuer: Issuer,
        service: CloudRun,
        instances: Mapping[str, Instances],
        client: httpx.AsyncClient,
    ) -> None:
        self._world = world
        self._issuer = issuer
        self._service = service
        self._instances = instances
        self._client = client
        self._traffic = Traffic(service.shares)
        self.answered: Counter[str] = Counter()
        """How many requests an instance of each revision got."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            return
        begun, timeout = False, self._service.timeout

        async def noting_send(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            headers = Headers(scope=scope)
            _check_length(headers)
            self._check(headers)
            instances = self._chosen(headers.get("host", ""))
            timeout = instances.service.timeout
            body = await Request(scope, receive).body()
            async with asyncio.timeout(timeout), instances.turn() as instance:
                self.answered[instances.service.revision] += 1
                await self._pass_on(scope, headers, body, instance, noting_send)
        except ClientDisconnect:
            return
        except (
            Refused,
            NoInstanceError,
            StartError,
            TimeoutError,
            httpx.TransportError,
        ) as problem:
            if begun:
                raise
            refused = _refused(problem, timeout)
            answer = PlainTextResponse(refused.reason, refused.status)
            await answer(scope, receive, send)

    def _chosen(self, host: str) -> Instances:
        """Return those of the revision that is next, or that the host's tag names."""
        revision = self._traffic.revision_for(host)
        if revision is None or revision not in self._instances:
            raise Refused(404, f"no revision of {self._service.name} has the address {host}")
        return self._instances[revision]

    def _check(self, headers: Headers) -> None:
        """Raise Refused for a caller that may not invoke the service."""
        service = self._service
        where = (service.id, f"projects/{service.project}")
        if service.anyone or may(self._world, None, _INVOKE, *where):
            return
        given = next((headers[name] for name in _TOKEN_HEADERS if name in headers), "")
        if not given:
            raise Refused(403, "no token, and the service is not public")
        kind, _, token = given.partition(" ")
        if kind.lower() != "bearer":
            raise Refused(401, "found no Bearer token")
        try:
            account, groups = self._issuer.caller(token.strip(), service.audiences)
        except TokenError as problem:
            raise Refused(401, f"the token proves nothing: {problem}") from problem
        if not may(self._world, account, _INVOKE, *where, groups=groups):
            raise Refused(403, f"{account} has no {_INVOKE} on {service.id}")

    async def _pass_on(
        self, scope: Scope, headers: Headers, body: bytes, instance: Instance, send: Send
    ) -> None:
        query = scope["query_string"].decode()
        url = f"{instance.url}{scope['path']}{'?' if query else ''}{query}"
        request = self._client.build_request(
            scope["method"], url, headers=_passed(headers), content=body, timeout=None
        )
        response = await self._client.send(request, stream=True)
        try:
            await send(
                {
                    "type": "http.response.start",
                    "status": response.status_code,
                    "headers": [
                        (name, value)
                        for name, value in response.headers.raw
                        if name.decode().lower() not in _HOP_BY_HOP
                    ],
                }
            )
            async for piece in response.aiter_raw():
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            await response.aclose()


def _check_length(headers: Headers) -> None:
    """Raise Refused for a body of which two may be read."""
    if "content-length" in headers and "transfer-encoding" in headers:
        raise Refused(400, "found content-length and transfer-encoding, allowed: one")


def _refused(problem: Exception, timeout: float) -> Refused:
    if isinstance(problem, Refused):
        return problem
    if isinstance(problem, NoInstanceError):
        return Refused(429, "Rate exceeded.")
    if isinstance(problem, TimeoutError):
        return Refused(504, f"no answer within {timeout:g} seconds")
    if isinstance(problem, StartError):
        return Refused(503, str(problem))
    return Refused(503, f"the instance is gone: {type(problem).__name__}")


def _passed(headers: Headers) -> list[tuple[str, str]]:
    """Return the headers an instance gets: a token can be read there, and used nowhere else."""
    passed: list[tuple[str, str]] = []
    for name, value in headers.items():
        if name in _TOKEN_HEADERS and value.count(".") == 2:
            passed.append((name, f"{value.rpartition('.')[0]}.SIGNATURE_REMOVED_BY_GOOGLE"))
        elif name not in (*_HOP_BY_HOP, "content-length"):
            passed.append((name, value))
    return [*passed, ("x-forwarded-proto", "https")]

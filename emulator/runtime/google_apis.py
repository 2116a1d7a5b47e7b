"""Google's APIs as far as the services use them: Pub/Sub's REST API and the metadata server.

One application serves one workload: who calls it is that workload's service account. Without an
account, callers show an ID token for https://pubsub.googleapis.com/.
https://cloud.google.com/pubsub/docs/reference/rest
https://cloud.google.com/compute/docs/metadata/overview
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from emulator.google.caller import Caller, body_of, error
from emulator.messages.broker import Broker, Delivery, NoSuchError
from emulator.messages.publishing import Draft, PublishError
from emulator.messages.push import envelope
from emulator.messages.resources import part
from emulator.messages.seeking import seek
from emulator.tokens import Issuer
from sandbox.world import World

AUDIENCE = "https://pubsub.googleapis.com/"
_METADATA = "/computeMetadata/v1"


Others = Callable[[Caller], Sequence[Route]]
"""Gives what answers a caller of other APIs."""


class GoogleApis:
    """The application; `wake` is called when there is something new to deliver."""

    def __init__(
        self,
        world: World,
        broker: Broker,
        issuer: Issuer,
        wake: Callable[[], None],
        account: str | None = None,
        project: str = "",
        others: Others = lambda _: (),
    ) -> None:
        self._broker = broker
        self._issuer = issuer
        self._caller = Caller(world, issuer, account, AUDIENCE)
        self._wake = wake
        self._account = account
        self._project = project
        topic = "/v1/projects/{project}/topics/{name}"
        subscription = "/v1/projects/{project}/subscriptions/{name}"
        routes = [
            Route(f"{topic}:publish", self._publish, methods=["POST"]),
            Route(f"{subscription}:pull", self._pull, methods=["POST"]),
            Route(f"{subscription}:acknowledge", self._acknowledge, methods=["POST"]),
            Route(f"{subscription}:modifyAckDeadline", self._modify, methods=["POST"]),
            Route(f"{subscription}:seek", self._seek, methods=["POST"]),
            *others(self._caller),
        ]
        if account is not None:
            routes.append(Route("/{path:path}", self._metadata))
        self.app = Starlette(routes=routes)

    async def _publish(self, request: Request) -> Response:
        topic = f"projects/{request.path_params['project']}/topics/{request.path_params['name']}"
        self._check(request, "pubsub.topics.publish", topic)
        try:
            drafts = [_draft(message) for message in (await body_of(request))["messages"]]
            ids = self._broker.publish(topic, drafts)
        except NoSuchError as problem:
            return error(404, "NOT_FOUND", str(problem))
        except (PublishError, KeyError, TypeError, binascii.Error) as problem:
            return error(400, "INVALID_ARGUMENT", str(problem))
        self._wake()
        return JSONResponse({"messageIds": ids})

    async def _pull(self, request: Request) -> Response:
        subscription = self._broker.pipes.subscriptions.get(self._subscription(request))
        if subscription is None:
            return error(404, "NOT_FOUND", "there is no such subscription")
        if not subscription.pulled:
            return error(400, "FAILED_PRECONDITION", "the subscription is not pulled")
        most = int((await body_of(request)).get("maxMessages") or 1)
        received = [
            {"ackId": f"{delivery.message.id}:{delivery.lease}", **envelope(delivery)}
            for delivery in self._broker.lease(subscription, most)
        ]
        return JSONResponse({"receivedMessages": received} if received else {})

    async def _acknowledge(self, request: Request) -> Response:
        deliveries, over = await self._deliveries(request)
        self._broker.ack(deliveries)
        self._wake()
        return self._answer(request, over)

    async def _modify(self, request: Request) -> Response:
        seconds = float((await body_of(request)).get("ackDeadlineSeconds") or 0)
        deliveries, over = await self._deliveries(request)
        for delivery in deliveries:
            if seconds:
                self._broker.extend(delivery, seconds)
            else:
                self._broker.nack(delivery, "refused by the subscriber")
        self._wake()
        return self._answer(request, over)

    async def _seek(self, request: Request) -> Response:
        subscription = self._broker.pipes.subscriptions.get(self._subscription(request))
        if subscription is None:
            return error(404, "NOT_FOUND", "there is no such subscription")
        try:
            moment = datetime.fromisoformat(str((await body_of(request)).get("time")))
        except ValueError as problem:
            return error(400, "INVALID_ARGUMENT", f"time: {problem}")
        seek(self._broker, subscription, moment.timestamp())
        self._wake()
        return JSONResponse({})

    async def _deliveries(self, request: Request) -> tuple[list[Delivery], list[str]]:
        """Return the deliveries of the ack ids, and the ids of those that are over."""
        subscription = self._subscription(request)
        found: list[Delivery] = []
        over: list[str] = []
        for ack_id in (await body_of(request)).get("ackIds", ()):
            message, _, lease = str(ack_id).partition(":")
            if not (message.isdigit() and lease.isdigit()):
                raise HTTPException(400, f"found {ack_id!r}, allowed: an ack id of a pull")
            delivery = self._broker.current(subscription, message, int(lease))
            if delivery is None:
                over.append(str(ack_id))
            else:
                found.append(delivery)
        return found, over

    def _answer(self, request: Request, over: list[str]) -> Response:
        """With exactly-once delivery a subscriber is told which acknowledgements came too late.

        https://cloud.google.com/pubsub/docs/exactly-once-delivery
        """
        subscription = self._broker.pipes.subscriptions[self._subscription(request)]
        if not over or not subscription.exactly_once:
            return JSONResponse({})
        details = {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "domain": "pubsub.googleapis.com",
            "metadata": dict.fromkeys(over, "PERMANENT_FAILURE_INVALID_ACK_ID"),
        }
        return error(400, "FAILED_PRECONDITION", "some acknowledgements failed", details)

    def _subscription(self, request: Request) -> str:
        params = request.path_params
        subscription = f"projects/{params['project']}/subscriptions/{params['name']}"
        self._check(request, "pubsub.subscriptions.consume", subscription)
        return subscription

    def _check(self, request: Request, permission: str, resource: str) -> None:
        project = "/".join(resource.split("/")[:2])
        self._caller.check(request, permission, resource, project)

    async def _metadata(self, request: Request) -> Response:
        """Return what Google's libraries ask to find out who they are."""
        account = self._account or ""
        path = f"/{request.path_params['path']}"
        flavor = {"metadata-flavor": "Google"}
        asked = path.removeprefix(_METADATA).rstrip("/")
        if path != "/" and request.headers.get("metadata-flavor") != "Google":
            return PlainTextResponse("Metadata-Flavor: Google is missing", 403, flavor)
        if asked in ("", "/"):
            return PlainTextResponse("computeMetadata/", headers=flavor)
        if asked == "/project/project-id":
            return PlainTextResponse(self._project, headers=flavor)
        if asked.endswith("/email"):
            return PlainTextResponse(account, headers=flavor)
        if asked.endswith("/token"):
            token = self._issuer.token(account, AUDIENCE)
            answer = {"access_token": token, "expires_in": 3599, "token_type": "Bearer"}
            return JSONResponse(answer, headers=flavor)
        if asked.endswith("/identity"):
            audience = request.query_params.get("audience", "")
            return PlainTextResponse(self._issuer.token(account, audience), headers=flavor)
        if asked.startswith("/instance/service-accounts/"):
            facts = {"aliases": ["default"], "email": account, "scopes": []}
            return JSONResponse(facts, headers=flavor)
        return PlainTextResponse("not found", 404, flavor)


def _draft(message: dict[str, Any]) -> Draft:
    return Draft(
        base64.b64decode(message.get("data", ""), validate=True),
        {str(key): str(value) for key, value in part(message, "attributes").items()},
        str(message.get("orderingKey", "")),
    )
